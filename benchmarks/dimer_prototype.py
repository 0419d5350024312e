import sys, time, zipfile
sys.path.insert(0,"src")
import jax, jax.numpy as jnp, numpy as np, equinox as eqx, optax
from lawful import atoms as at
from lawful.atoms import ShortRangeNetwork, Neighbours, Structure
rc=float(sys.argv[1]); steps=int(sys.argv[2]); physics=int(sys.argv[3]); C=int(sys.argv[4]); wl2=float(sys.argv[5])
SYM={"H":1,"C":6,"N":7,"O":8}
z=zipfile.ZipFile("DATA/refdata/geometries.zip")
def xyz(n):
    L=z.read(f"s66x8/{n}.xyz").decode().splitlines(); k=int(L[0])
    r=[l.split() for l in L[2:2+k]]; return np.array([SYM[a[0]] for a in r]), np.array([a[1:4] for a in r],float)
lines=[l for l in open("DATA/refdata/din/s66x8.din").read().splitlines() if l and not l.startswith("#")]
items=[]
for k in range(0,len(lines),8): items.append((lines[k+1],lines[k+3],float(lines[k+7])))
A=36; rows=[]
names=[]
for d,m,e in items:
    Z,R=xyz(d); Zm,_=xyz(m); n=len(Zm); assert (Z[:n]==Zm).all(),d
    names.append(d.rsplit("_",1)); rows.append((Z,R,n,e))
scale=np.array([float(n[1]) for n in names]); system=np.array([n[0] for n in names])
print(len(rows), max(len(r[0]) for r in rows), sorted(set(scale)), len(set(system)))
room=max(Neighbours.of(Structure(R,Z),rc).count for Z,R,n,e in rows); print("room",room)
def tables(Z,R,n):
    t=Neighbours.of(Structure(R,Z),rc,room,A); 
    side=np.arange(A)>=n
    cross=side[t.j]!=side[:,None]
    return t.j,t.real,t.real&~cross
T=[tables(Z,R,n) for Z,R,n,e in rows]
pad=lambda x,f=0: np.concatenate([x,np.full((A-len(x),*x.shape[1:]),f,x.dtype)])
net0=ShortRangeNetwork((1,6,7,8),jax.random.key(0),cutoff=rc,channels=C,outputs=0)
qnet0=ShortRangeNetwork((1,6,7,8),jax.random.key(1),cutoff=3.5,channels=16,outputs=2)
D=dict(pos=np.stack([np.concatenate([R,1e3+10*np.arange(A-len(R))[:,None]*np.ones(3)]) for Z,R,n,e in rows]).astype(np.float32),
 sp=np.stack([net0.species(pad(Z)) for Z,R,n,e in rows]), j=np.stack([t[0] for t in T]), real=np.stack([t[1] for t in T]), intra=np.stack([t[2] for t in T]),
 frag=np.stack([np.where(np.arange(A)<n,0,np.where(np.arange(A)<len(Z),1,2)) for Z,R,n,e in rows]),
 e=np.array([r[3] for r in rows],np.float32))
free=np.array([at.Dispersion.free_atoms(np.array([q])).c6[0] for q in (1,6,7,8)]); fd=at.Dispersion.free_atoms(np.array([1,6,7,8]))
i,jj=np.triu_indices(A,1); P=at.Pairs(i,jj,None,np.inf)
K=at.KCAL_PER_MOL
class Model(eqx.Module):
    net: ShortRangeNetwork; q: ShortRangeNetwork; width: jax.Array; a1: jax.Array; a2: jax.Array; s8: jax.Array
    def terms(self, f):
        sp=f["sp"]; real=sp>=0
        table=lambda m: Neighbours(f["j"], m, None)
        short=jnp.sum(self.net(f["pos"],sp,table(f["real"]))[0])-jnp.sum(self.net(f["pos"],sp,table(f["intra"]))[0])
        if not physics: return {"short":short}
        raw=self.q(f["pos"],sp,table(f["intra"]))[1]
        w=real.astype(jnp.float32)
        tot=jax.ops.segment_sum(raw[:,0]*w,f["frag"],3); cnt=jax.ops.segment_sum(w,f["frag"],3)
        q=(raw[:,0]-(tot/jnp.maximum(cnt,1))[f["frag"]])*w*0.3
        cross=(f["frag"][i]+f["frag"][jj]==1)&real[i]&real[jj]
        sq=P.squares(f["pos"],None); width=jax.nn.softplus(self.width)[sp]
        pw=jnp.sqrt(width[i]**2+width[jj]**2)
        coul=at.COULOMB*jnp.sum(jnp.where(cross,q[i]*q[jj]*at.smeared_inverse(sq,pw),0))
        vol=jnp.exp(0.3*jnp.tanh(raw[:,1]))
        disp=at.Dispersion(jnp.asarray(fd.c6)[sp]*vol**2,jnp.asarray(fd.alpha)[sp]*vol,jnp.asarray(fd.quotient)[sp],self.s8,self.a1,self.a2)
        c6,quo=disp.coefficients(P); rad=(self.a1*jnp.sqrt(quo)+self.a2)**2
        dis=-jnp.sum(jnp.where(cross,c6*(1/(sq**3+rad**3)+self.s8*quo/(sq**4+rad**4)),0))
        return {"short":short,"coulomb":coul,"dispersion":dis}
net0=eqx.tree_at(lambda n:n.scale,net0,jnp.asarray(0.1))
model=Model(net0,qnet0,jnp.full(4,0.0),jnp.asarray(0.41),jnp.asarray(2.57),jnp.asarray(1.22))
train=np.flatnonzero(scale<=1.26); 
dev={k:jnp.asarray(v) for k,v in D.items()}
def energies(m,idx): 
    t=jax.vmap(m.terms)({k:v[idx] for k,v in dev.items()}); return sum(t.values())/K, t
def loss(p,s,idx):
    m=eqx.combine(p,s); e,t=energies(m,idx); ref=dev["e"][idx]
    l=jnp.mean(((e-ref)/(0.05+0.03*jnp.abs(ref)))**2)
    return l+wl2*jnp.mean((t["short"]/K)**2/(0.05+0.03*jnp.abs(ref))**2)
p,s=eqx.partition(model,eqx.is_inexact_array)
opt=optax.chain(optax.clip_by_global_norm(10.),optax.adam(optax.warmup_cosine_decay_schedule(1e-4,4e-3,50,steps)))
st=opt.init(p)
@jax.jit
def many(p,st,idx):
    def one(c,ix):
        p,st=c; l,g=jax.value_and_grad(loss)(p,s,ix); u,st=opt.update(g,st,p); return (optax.apply_updates(p,u),st),l
    (p,st),l=jax.lax.scan(one,(p,st),idx); return p,st,l.mean()
ev=jax.jit(lambda p: energies(eqx.combine(p,s),jnp.arange(len(rows))))
rng=np.random.default_rng(0); t0=time.time()
for k in range(steps//50):
    idx=np.stack([rng.choice(train,24,replace=False) for _ in range(50)])
    p,st,l=many(p,st,jnp.asarray(idx))
    if k%10==9 or k==steps//50-1:
        e,t=ev(p); e=np.asarray(e); err=np.abs(e-D["e"])
        print(f"{time.time()-t0:.0f}s {50*(k+1)} loss {float(l):.3f} train {err[train].mean():.3f} 1.25 {err[scale==1.25].mean():.3f} 1.5 {err[scale==1.5].mean():.3f} 2.0 {err[scale==2.0].mean():.3f}", flush=True)
for q in ("short","coulomb","dispersion"):
    if q in t: print(q,[round(float(np.abs(np.asarray(t[q])[scale==x]/K).mean()),3) for x in sorted(set(scale))])
bad=np.argsort(-err*(scale==2.0))[:8]; print([(system[b],round(float(e[b]),3),round(float(D['e'][b]),3)) for b in bad])
