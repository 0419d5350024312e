"""One runnable story for each capability. A study is a module here with SUMMARY, OPTIONS and run(request)."""
