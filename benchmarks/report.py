def write(results, folder, publish): pass
