"""What programs do with files, tried in the current directory: as root of a user namespace, in a tree of two layers.

checks.py NAME runs one check. Each must hold on a local disk, too: that is what is expected. `lower` below is a file, or a
directory, that nobody has changed yet.
"""
import ctypes, errno, fcntl, mmap, os, random, select, shutil, socket, sqlite3, stat, struct, subprocess, sys

LONG = bool(os.environ.get("CORACLE_LONG"))


def child(work):
    """Runs `work` in another process; its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(work() or 0)
        except BaseException as error:
            print(f"in the child: {error!r}", file=sys.stderr)
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def as_user(work, uid=1000, gid=1000, groups=()):
    def become():
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)
        return work()

    assert child(become) == 0


def fails(expected, work, *arguments):
    try:
        work(*arguments)
    except OSError as error:
        assert error.errno == expected, f"{error!r}, not {errno.errorcode[expected]}"
    else:
        raise AssertionError(f"no {errno.errorcode[expected]}")


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def mappings():
    for path in ["lower.data", "new"]:
        if path == "new":
            write(path, b"a" * 10000)
        length = os.path.getsize(path)
        with open(path, "r+b") as file:
            private = mmap.mmap(file.fileno(), length, flags=mmap.MAP_PRIVATE)
            shared = mmap.mmap(file.fileno(), length)
            private[0:4] = b"mine"
            shared[4:8] = b"ours"
            assert read(path)[4:8] == b"ours" and read(path)[0:4] != b"mine"
            assert child(lambda: read(path)[4:8] != b"ours") == 0
            os.pwrite(file.fileno(), b"written", 4096)
            assert shared[4096:4103] == b"written"

            def other():
                with open(path, "r+b") as again:
                    mmap.mmap(again.fileno(), length)[5000:5005] = b"child"

            assert child(other) == 0 and shared[5000:5005] == b"child"
            shared.flush()
            shared.close()
        assert read(path)[5000:5005] == b"child" and len(read(path)) == length


def executables():
    # One that was there, one that is new.
    shutil.copy(shutil.which("sleep"), "program")
    for program in ["lower.program", "program"]:
        running = subprocess.Popen([f"./{program}", "1000"])
        while os.readlink(f"/proc/{running.pid}/exe").rsplit("/", 1)[-1] != program:
            pass
        fails(errno.ETXTBSY, open, program, "r+b")
        shutil.copy(shutil.which("true"), "program.new")
        os.rename("program.new", program)
        assert running.poll() is None
        assert subprocess.run([f"./{program}"]).returncode == 0
        running.kill()
        running.wait()
        write(program, b"#!/bin/sh\nexit 7\n")
        assert subprocess.run([f"./{program}"]).returncode == 7


def locks():
    for path in ["lower.data", "new"]:
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(file, fcntl.LOCK_EX)

        def take(operation):
            other = os.open(path, os.O_RDWR)
            operation(other)

        flock = lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert child(lambda: fails(errno.EAGAIN, take, flock)) == 0
        fcntl.flock(file, fcntl.LOCK_UN)
        assert child(lambda: take(flock)) == 0
        posix = lambda fd: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 5)
        posix(file)
        # Another range is free.
        assert child(lambda: take(lambda fd: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 50))) == 0
        assert child(lambda: fails(errno.EAGAIN, take, posix)) == 0
        os.close(file)
        assert child(lambda: take(posix)) == 0
        open_file = lambda fd: fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        one, two = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
        open_file(one)
        fails(errno.EAGAIN, open_file, two)
        os.close(one)
        open_file(two)


def pipes_and_sockets():
    os.chmod("lower.socket", 0o711)
    os.rename("lower.socket", "moved")
    assert os.stat("moved").st_mode == stat.S_IFSOCK | 0o711
    os.unlink("moved")
    for path in ["lower.fifo", "fifo"]:
        if path == "fifo":
            os.mkfifo(path)
        pid = os.fork()
        if pid == 0:
            write(path, b"through")
            os._exit(0)
        assert read(path) == b"through"
        os.waitpid(pid, 0)
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket")
    server.listen()

    def speak():
        client = socket.socket(socket.AF_UNIX)
        client.connect("socket")
        client.send(b"hello")

    assert child(speak) == 0
    assert server.accept()[0].recv(10) == b"hello"
    os.rename("socket", "moved")
    assert stat.S_ISSOCK(os.stat("moved").st_mode)


def large_files():
    for path in ["lower.sparse", "sparse"]:
        with open(path, "r+b" if path == "lower.sparse" else "w+b") as file:
            file.truncate(5 << 30)
            os.pwrite(file.fileno(), b"far", (9 << 29) + 1)
            os.fsync(file.fileno())
            assert os.pread(file.fileno(), 5, 9 << 29) == b"\0far\0"
            assert os.lseek(file.fileno(), 1 << 20, os.SEEK_DATA) == 9 << 29
        found = os.stat(path)
        assert (found.st_size, found.st_blocks < 1 << 21) == (5 << 30, True), found.st_blocks


def names():
    one = bytes(random.Random(1).choice([b for b in range(1, 256) if b != 47]) for _ in range(255))
    write(one, b"x")
    assert one in os.listdir(b".")
    two = b"\xff" * 255
    os.rename(one, two)
    os.mkdir(one)
    os.rename(two, one + b"/" + two)
    assert os.listdir(one) == [two]
    fails(errno.ENAMETOOLONG, write, b"n" * 256, b"")
    # As other drivers mark what is removed: here it is a name like any other.
    for name in [".wh.lower.data", ".wh..wh..opq"]:
        write(name, b"")
        assert name in os.listdir(".") and os.path.exists("lower.data")
    shutil.rmtree(one)


def depth():
    for levels in [64, 2000]:
        top = os.open(".", os.O_RDONLY)
        for _ in range(levels):
            os.mkdir("d")
            os.chdir("d")
        write("bottom", b"here")
        os.fchdir(top)
        os.rename("d", "e")
        for _ in range(levels):
            os.chdir("d" if os.path.exists("d") else "e")
        assert read("bottom") == b"here"
        os.fchdir(top)
        assert subprocess.run(["rm", "-rf", "e"]).returncode == 0
        assert not os.path.exists("e")


def numbers_of_the_disk():
    ours, disk = os.statvfs("."), os.statvfs("..")
    assert (ours.f_blocks, ours.f_files, ours.f_namemax) == (disk.f_blocks, disk.f_files, disk.f_namemax)
    for path in ["lower.data", "lower.directory", "."]:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.fdatasync(file)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.syncfs(file) == 0


CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def privileges():
    def capable(path):
        try:
            return bool(os.getxattr(path, "security.capability"))
        except OSError:
            return False

    def each(path, change, keeps=False):
        os.chmod(path, 0o6777)
        os.setxattr(path, "security.capability", CAPABILITY)
        change()
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert (mode, capable(path)) == (0o777, False), f"{path}: {mode:o} {capable(path)}"

    os.chmod(".", 0o777)
    for path in ["lower.data", "new"]:
        if path == "new":
            write(path, b"0123456789")
        each(path, lambda: as_user(lambda: write_at(path)))
        each(path, lambda: as_user(lambda: os.truncate(path, 5)))
        each(path, lambda: as_user(lambda: write(path, b"")))
        each(path, lambda: os.chown(path, 5, 5))


def writes_by_others():
    """What takes the privileges of a file takes them at once: whoever runs it next asks for no attributes before."""
    os.chmod(".", 0o777)
    write("data", b"x" * 10000)
    os.chmod("data", 0o644)
    show = shutil.copy(shutil.which("id"), "show")

    def open_and(work):
        file = os.open(show, os.O_RDWR)
        work(file)
        os.close(file)

    def copy(file):
        source = os.open("data", os.O_RDONLY)
        os.copy_file_range(source, file, 100, 0, os.fstat(file).st_size)
        os.close(source)

    allocate = lambda file: os.posix_fallocate(file, os.fstat(file).st_size, 5000)
    append = lambda file: os.pwrite(file, b"x", os.fstat(file).st_size)
    shorten = lambda file: os.truncate(file, os.fstat(file).st_size - 1)
    for name, work in [("write", append), ("truncate", shorten), ("fallocate", allocate), ("copy_file_range", copy)]:
        os.chmod(show, 0o6777)

        def run():
            open_and(work)
            said = subprocess.run(["./show"], capture_output=True, check=True).stdout
            assert b"euid" not in said and b"egid" not in said, f"{name}: {said}"

        as_user(run)
        assert stat.S_IMODE(os.stat(show).st_mode) == 0o777


def access_lists():
    """A user and a group that are named have what the list says, within its mask; so has what is made in a directory."""
    def acl(*entries):
        return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)

    none = 0xFFFFFFFF
    owner, group, other = (1, 6, none), (4, 0, none), (0x20, 0, none)
    user_1000, group_1234, mask = (2, 6, 1000), (8, 4, 1234), lambda bits: (0x10, bits, none)
    os.mkdir("inherits")
    os.chmod("inherits", 0o777)
    os.setxattr("inherits", "system.posix_acl_default", acl((1, 7, none), user_1000, group, group_1234, mask(6), other))
    write("inherits/file", b"x")
    write("new", b"x")
    for path in ["lower.data", "new", "inherits/file"]:
        os.setxattr(path, "system.posix_acl_access", acl(owner, user_1000, group, group_1234, mask(6), other))
        # As the one, as a member of the other, as neither.
        as_user(lambda: write_at(path))
        as_user(lambda: len(read(path)) == 0, uid=1001, groups=[1234])
        as_user(lambda: fails(errno.EACCES, write_at, path), uid=1001, groups=[1234])
        as_user(lambda: fails(errno.EACCES, read, path), uid=1001)
        os.setxattr(path, "system.posix_acl_access", acl(owner, user_1000, group, group_1234, mask(4), other))
        as_user(lambda: len(read(path)) == 0)
        as_user(lambda: fails(errno.EACCES, write_at, path))
        os.chmod(path, 0o600)
        as_user(lambda: fails(errno.EACCES, read, path))
    # The kernel's driver copies a file up with its list, and a directory.
    os.setxattr("lower.directory", "system.posix_acl_access", acl((1, 7, none), (2, 7, 1000), group, mask(7), other))
    as_user(lambda: write("lower.directory/file", b""))
    as_user(lambda: fails(errno.EACCES, os.listdir, "lower.directory"), uid=1001)


def positions():
    """A position in a directory leads to what followed it, whatever was made, moved and removed since then."""
    class Entry(ctypes.Structure):
        _fields_ = [("number", ctypes.c_uint64), ("offset", ctypes.c_int64), ("length", ctypes.c_uint16),
                    ("type", ctypes.c_uint8), ("name", ctypes.c_char * 256)]

    libc = ctypes.CDLL(None)
    libc.opendir.restype, libc.telldir.restype = ctypes.c_void_p, ctypes.c_long
    libc.readdir.restype = ctypes.POINTER(Entry)
    libc.readdir.argtypes = libc.telldir.argtypes = libc.closedir.argtypes = [ctypes.c_void_p]
    libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
    for count in range(400):
        write(f"lower.directory/new{count}", b"")
    directory = libc.opendir(b"lower.directory")

    def rest():
        while entry := libc.readdir(directory):
            yield entry.contents.name.decode()

    before, names = {}, []
    at = libc.telldir(directory)
    for name in rest():
        before[name], at = at, libc.telldir(directory)
        names.append(name)
    assert len(set(names)) == len(names) > 2 * 400
    # The kernel's driver numbers the entries as it merges them, anew after a change.
    changes = not os.environ["CORACLE_OVERLAY"].startswith("kernel ")
    gone = set(names[5:900:7]) - {".", ".."} if changes else set()
    for number, name in enumerate(sorted(gone)):
        if number % 2:
            os.unlink(f"lower.directory/{name}")
        else:
            os.rename(f"lower.directory/{name}", f"lower.directory/moved{number}")
        write(f"lower.directory/another{number}", b"")
    stay = [name for name in names if name not in gone]
    kept = set(stay)
    for number, name in enumerate(stay[:-1:9]):
        libc.seekdir(directory, before[name])
        found = next(found for found in rest() if found in kept)
        assert found == name, f"{found}, not {name}"
    # From the middle on, all that was there before is there, once.
    libc.seekdir(directory, before[stay[100]])
    found = [name for name in rest() if name in kept]
    assert found == stay[100:], f"{len(found)} of {len(stay) - 100}"
    libc.closedir(directory)


def reflinks():
    """`cp --reflink=auto` copies, whether or not the file system can share blocks."""
    write("new", os.urandom(300_000))
    for path in ["lower.data", "new"]:
        subprocess.run(["cp", "--reflink=auto", path, "copy"], check=True)
        assert read("copy") == read(path)
        with open(path, "rb") as source, open("clone", "wb") as clone:
            try:
                fcntl.ioctl(clone, 0x40049409, source.fileno())  # FICLONE
            except OSError as error:
                assert error.errno in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL), error
            else:
                assert read("clone") == read(path)


def removed():
    """What has no name any more is still there for who holds it: a path may be on its way through it."""
    # The kernel's driver goes on to count the links of what lies below.
    counts = lambda path: not (path.startswith("lower") and os.environ["CORACLE_OVERLAY"].startswith("kernel "))
    os.symlink("nowhere", "link")
    os.symlink("elsewhere", "replaced")
    write("replacing", b"")
    for path, target in [("link", "nowhere"), ("lower.link", "lower.data"), ("replaced", "elsewhere")]:
        held = os.open(path, os.O_PATH | os.O_NOFOLLOW)
        os.rename("replacing", path) if path == "replaced" else os.unlink(path)
        assert os.readlink("", dir_fd=held) == target, path
        assert os.fstat(held).st_nlink == 0 or not counts(path), path
        os.close(held)
    os.mkdir("directory")
    for path in ["directory", "lower.directory"]:
        for name in os.listdir(path):
            os.unlink(f"{path}/{name}")
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        os.rmdir(path)
        assert os.fstat(held).st_nlink == 0 or not counts(path), path
        assert [name for name in os.listxattr(held) if name.startswith("user.")] == [], path
        fails(errno.ENODATA, os.getxattr, held, "user.one")
        fails(errno.ENOENT, os.setxattr, path, "user.one", b"1")
        os.close(held)


def write_at(path):
    file = os.open(path, os.O_WRONLY)
    os.pwrite(file, b"x", 1)
    os.close(file)


def groups_and_masks():
    os.mkdir("shared")
    os.chown("shared", 0, 1234)
    os.chmod("shared", 0o770)
    os.chown("lower.data", 0, 1234)
    os.chmod("lower.data", 0o660)

    def allowed():
        os.umask(0o027)
        write("shared/file", b"x")
        os.mkdir("shared/dir")
        write("lower.data", b"changed")

    as_user(allowed, groups=[1234])
    found = [os.stat(path) for path in ["shared/file", "shared/dir"]]
    assert [(s.st_uid, s.st_gid, stat.S_IMODE(s.st_mode)) for s in found] == [(1000, 1000, 0o640), (1000, 1000, 0o750)]
    as_user(lambda: fails(errno.EACCES, write, "shared/other", b""))
    as_user(lambda: fails(errno.EACCES, read, "lower.data"))


def many_entries():
    count = 1_000_000 if LONG else 50_000
    os.mkdir("many")
    os.chdir("many")
    for at in range(count):
        os.close(os.open(str(at), os.O_CREAT | os.O_WRONLY))
    assert len(os.listdir(".")) == count
    seen = set()
    with os.scandir(".") as entries:
        for at, entry in enumerate(entries):
            seen.add(entry.name)
            if at % 2:
                os.unlink(entry.name)
    assert len(seen) == count and len(os.listdir(".")) == count // 2
    os.chdir("..")
    shutil.rmtree("many")


def database():
    """Of a lower layer, in WAL mode, small writes through file and mapping, the first of which copies it up."""
    seed = random.Random(os.environ["CORACLE_SEED"])
    base = sqlite3.connect("lower.db", isolation_level=None)
    base.execute("pragma mmap_size=268435456")
    assert base.execute("pragma journal_mode=wal").fetchone() == ("wal",)
    base.execute("pragma synchronous=normal")
    rows = base.execute("select max(id) from t").fetchone()[0]
    for _ in range(40):
        base.execute("begin")
        for _ in range(10):
            at = seed.randrange(1, rows + 1)
            base.execute("update t set v = ? where id = ?", (seed.randbytes(seed.randrange(1, 900)), at))
        base.execute("commit" if seed.random() < 0.9 else "rollback")
    base.execute("pragma wal_checkpoint(truncate)")

    def other():
        again = sqlite3.connect("lower.db")
        again.execute("pragma mmap_size=268435456")
        assert again.execute("pragma integrity_check").fetchone() == ("ok",)
        again.execute("insert into t values (null, ?)", (b"z" * 500,))
        again.commit()

    assert child(other) == 0
    assert base.execute("pragma integrity_check").fetchone() == ("ok",)
    base.close()


globals()[sys.argv[1]]()
