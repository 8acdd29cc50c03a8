#!/usr/bin/env python3
"""A PostgreSQL for the tests: made fresh, reached over a Unix socket alone, thrown away afterwards.

postgres.py start FILE [--durable]   writes the address into FILE (the value of PAIFANG_POSTGRES)
postgres.py stop FILE                ends the server FILE speaks of, by its process id
postgres.py run [--durable] [--pooled] COMMAND…
                                     starts one, runs COMMAND with PAIFANG_POSTGRES set, stops it

Without --durable it does not sync: fine for suites, never for figures. With --pooled COMMAND meets a
PgBouncer that pools transactions, and PAIFANG_POOLED is set.
"""
import glob
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

# initdb refuses root; Debian's package brings this user.
UNPRIVILEGED = "postgres"


def program(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}") + glob.glob(f"/usr/sbin/{name}"))
    return found[-1] if found else name


def unprivileged(command):
    """A server's program as somebody it agrees to run as."""
    if os.geteuid() != 0:
        return command
    prefix = ["setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
    if not os.stat("/").st_mode & stat.S_IXOTH:
        # In some containers only root gets past the root folder: it may read, as root does. The
        # bit lets access(2), by which initdb looks for its server, see that too.
        prefix += ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_read_search",
                   "--ambient-caps=+dac_read_search"]
    return prefix + command


def until(condition, seconds):
    """Whether the condition came to hold within that time."""
    patience = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > patience:
            return False
        time.sleep(0.02)
    return True


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A child of ours that ended is a zombie until it is waited for.
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return True


def start(file, durable):
    stop(file)
    # In /tmp: a socket's path has 107 characters at most.
    folder = tempfile.mkdtemp(prefix="paifang-pg-")
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = os.path.join(folder, "data")
    subprocess.run(
        unprivileged([program("initdb"), "-D", data, "-U", "paifang", "-A", "trust", "-E", "UTF8",
                      "--locale=C", "--no-sync", "-N"]),
        check=True, stdout=subprocess.DEVNULL, cwd="/")
    settings = {
        "listen_addresses": "", "unix_socket_directories": folder, "max_connections": "300",
        "shared_buffers": "64MB", "max_pred_locks_per_transaction": "256",
        "fsync": "on" if durable else "off", "full_page_writes": "on" if durable else "off",
        "log_min_messages": "warning",
    }
    command = [program("postgres"), "-D", data]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with open(os.path.join(folder, "log"), "wb") as log:
        # A session of its own: the test driver's Ctrl-C is not the server's.
        server = subprocess.Popen(unprivileged(command), stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=log, cwd="/", start_new_session=True)
    asks = [program("pg_isready"), "-q", "-h", folder]
    answered = [False]

    def over():
        answered[0] = subprocess.run(asks).returncode == 0
        return answered[0] or server.poll() is not None

    until(over, 60)
    if not answered[0]:
        with open(os.path.join(folder, "log"), encoding="utf-8") as log:
            sys.exit("PostgreSQL does not start:\n" + log.read())
    os.makedirs(os.path.dirname(os.path.abspath(file)), exist_ok=True)
    with open(file + ".new", "w", encoding="utf-8") as out:
        out.write(f"postgresql:///?host={folder}&user=paifang\n{server.pid}\n{folder}\n")
    os.rename(file + ".new", file)


def pool(file):
    """A PgBouncer before the server of that file; the file speaks of it from now on. Its process."""
    with open(file, encoding="utf-8") as told:
        _, pid, folder = told.read().split("\n")[:3]
    settings = os.path.join(folder, "pgbouncer.ini")
    with open(settings, "w", encoding="utf-8") as out:
        out.write(f"[databases]\n* = host={folder} user=paifang\n"
                  f"[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {folder}\n"
                  "auth_type = any\npool_mode = transaction\nmax_client_conn = 500\n"
                  "default_pool_size = 30\nignore_startup_parameters = extra_float_digits\n"
                  f"logfile = {folder}/pgbouncer.log\n")
    pooler = subprocess.Popen(unprivileged([program("pgbouncer"), "-q", settings]),
                              stdin=subprocess.DEVNULL, start_new_session=True, cwd="/")
    socket = os.path.join(folder, ".s.PGSQL.6432")
    until(lambda: os.path.exists(socket) or pooler.poll() is not None, 30)
    if not os.path.exists(socket):
        sys.exit("PgBouncer does not start")
    with open(file, "w", encoding="utf-8") as out:
        out.write(f"postgresql:///?host={folder}&port=6432&user=paifang\n{pid}\n{folder}\n")
    return pooler


def stop(file):
    try:
        with open(file, encoding="utf-8") as told:
            _, pid, folder = told.read().split("\n")[:3]
    except FileNotFoundError:
        return
    # The number may be somebody else's by now: only the server of this very folder is ended.
    try:
        with open(os.path.join(folder, "data", "postmaster.pid"), encoding="utf-8") as own:
            running = own.readline().strip() == pid
    except FileNotFoundError:
        running = False
    if running:
        os.kill(int(pid), signal.SIGINT)  # "fast": connections are ended
        until(lambda: not alive(int(pid)), 30)
    shutil.rmtree(folder, ignore_errors=True)
    os.remove(file)


def main():
    words = sys.argv[1:]
    durable = "--durable" in words[:3]
    pooled = "--pooled" in words[:3]
    words = [word for place, word in enumerate(words)
             if place > 2 or word not in ("--durable", "--pooled")]
    if words[:1] == ["start"] and len(words) == 2:
        start(words[1], durable)
    elif words[:1] == ["stop"] and len(words) == 2:
        stop(words[1])
    elif words[:1] == ["run"] and len(words) > 1:
        folder = tempfile.mkdtemp(prefix="paifang-pg-run-")
        file = os.path.join(folder, "address")
        environment = {**os.environ, "PAIFANG_POSTGRES": file}
        if pooled:
            environment["PAIFANG_POOLED"] = "1"
        pooler = None
        # A driver that gives up on us sends TERM: nothing may be left running then either.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        start(file, durable)
        try:
            if pooled:
                pooler = pool(file)
            code = subprocess.run(words[1:], env=environment).returncode
        finally:
            if pooler:
                pooler.terminate()
                pooler.wait()
            stop(file)
            shutil.rmtree(folder, ignore_errors=True)
        sys.exit(code)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
