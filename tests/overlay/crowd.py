"""crowd.py DRIVER SEED PROCESSES ROUND OPERATIONS: that many processes do random operations in the current directory, all at once.

Each has the same few names to work with, so they are always in each other's way. An error that none of them could cause is
told, and is a failure; so is a tree whose listings do not say what is there.
"""
import errno, mmap, os, random, stat, subprocess, sys

DRIVER = sys.argv[1]
SEED, PROCESSES, ROUND, OPERATIONS = map(int, sys.argv[2:])
NAMES = ["a", "b", "c", "d", "long-name"]
ATTRIBUTES = ["user.one", "user.two"]
PAGE = 4096

# What a file system says of names that another process has just made, moved or removed.
LAWFUL = {errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.ENODATA, errno.ENXIO, errno.ELOOP}
# A directory moved into itself, or over what it lies in; a link to a directory; an operation on a pipe or a symbolic link.
LAWFUL |= {errno.EINVAL, errno.EPERM, errno.ESPIPE, errno.ENOSYS}
if DRIVER == "kernel":
    # It leaves it to its callers to move a directory that lies below. Where the upper layer no longer holds under a name what it
    # has looked up, it says so (ovl_rename, ovl_remove_upper); the kernel looks once more, and passes the second such answer on.
    LAWFUL |= {errno.EXDEV, errno.ESTALE}


class Worker:
    def __init__(self, number):
        self.draw = random.Random(f"{SEED} {ROUND} {number}")
        self.own = f"own-{number}"
        self.block = mmap.mmap(-1, PAGE)

    def path(self):
        return "/".join(self.draw.choice(NAMES) for _ in range(self.draw.randint(1, 4)))

    def open(self, flags):
        return os.open(self.path(), flags | os.O_NONBLOCK, 0o600 | self.draw.choice([0, 0o44, 0o4111]))

    def make(self):
        os.close(self.open(os.O_WRONLY | os.O_CREAT | self.draw.choice([0, os.O_EXCL, os.O_TRUNC])))

    def write(self):
        file = self.open(os.O_RDWR | self.draw.choice([0, os.O_CREAT, os.O_APPEND]))
        try:
            os.pwrite(file, bytes([self.draw.randrange(256)]) * self.draw.choice([1, 100, 5000, 70_000]), self.draw.randrange(100_000))
            self.draw.random() < 0.05 and os.fsync(file)
            os.pread(file, 5000, self.draw.randrange(100_000))
        finally:
            os.close(file)

    def write_directly(self):
        """Past the cache of the kernel."""
        file = self.open(os.O_RDWR | os.O_CREAT | os.O_DIRECT)
        try:
            os.pwritev(file, [self.block], PAGE * self.draw.randrange(20))
            os.preadv(file, [self.block], PAGE * self.draw.randrange(20))
        finally:
            os.close(file)

    def write_mapped(self):
        """In a file whose name is this process's own: whoever maps what another shortens is killed, on any file system."""
        directory = os.path.dirname(self.path()) or "."
        file = os.open(f"{directory}/{self.own}", os.O_RDWR | os.O_CREAT, 0o644)
        os.ftruncate(file, 8 * PAGE)
        with mmap.mmap(file, 8 * PAGE) as mapped:
            at, value = self.draw.randrange(8 * PAGE), self.draw.randrange(256)
            mapped[at] = value
            assert os.pread(file, 1, at) == bytes([value]), "what was written through a mapping is not read"
        os.close(file)

    def resize(self):
        os.truncate(self.path(), self.draw.randrange(100_000))

    def copy(self):
        source, target = self.open(os.O_RDONLY), None
        try:
            target = self.open(os.O_WRONLY | os.O_CREAT)
            os.copy_file_range(source, target, 20_000, self.draw.randrange(50_000), self.draw.randrange(50_000))
        finally:
            os.close(source)
            target is not None and os.close(target)

    def directory(self):
        os.mkdir(self.path(), self.draw.choice([0o755, 0o700]))

    def other(self):
        self.draw.choice([lambda path: os.symlink(self.path(), path), lambda path: os.mkfifo(path, 0o600)])(self.path())

    def link(self):
        os.link(self.path(), self.path(), follow_symlinks=False)

    def rename(self):
        os.rename(self.path(), self.path())

    def unlink(self):
        os.unlink(self.path())

    def remove_directory(self):
        os.rmdir(self.path())

    def remove_all(self):
        # Others may put back what it has removed.
        subprocess.run(["rm", "-rf", self.path()], stderr=subprocess.DEVNULL)

    def attributes(self):
        path, name = self.path(), self.draw.choice(ATTRIBUTES)
        os.setxattr(path, name, bytes(self.draw.randrange(100)), follow_symlinks=False)
        os.getxattr(path, name, follow_symlinks=False)
        self.draw.random() < 0.5 and os.removexattr(path, name, follow_symlinks=False)

    def change(self):
        path = self.path()
        os.chmod(path, self.draw.choice([0o600, 0o644, 0o755, 0o4755]))
        os.chown(path, self.draw.randrange(3), self.draw.randrange(3), follow_symlinks=False)
        os.utime(path, (1, self.draw.randrange(1 << 20)), follow_symlinks=False)

    def look(self):
        for entry in os.scandir(self.draw.choice([".", self.path()])):
            os.lstat(entry.path)

    def work(self):
        often = [self.make, self.write, self.directory, self.directory, self.rename, self.rename, self.unlink, self.look]
        often += [self.make, self.write, self.write_mapped, self.write_directly, self.resize, self.copy, self.link, self.change]
        seldom = [self.other, self.remove_directory, self.attributes]
        for _ in range(OPERATIONS):
            operation = self.draw.choice(self.draw.choice([often, often, often, seldom]))
            if self.draw.random() < 0.01:
                operation = self.remove_all
            try:
                operation()
            except OSError as error:
                if error.errno not in LAWFUL:
                    raise AssertionError(f"{operation.__name__}: {error!r}") from error


def check(directory):
    """What is listed is there, once, of that type and number."""
    seen = set()
    for entry in os.scandir(directory):
        found = os.lstat(entry.path)
        assert entry.name not in seen, f"{entry.path} is listed twice"
        seen.add(entry.name)
        assert entry.inode() == found.st_ino, f"{entry.path}: listed with the number {entry.inode()}, which is {found.st_ino}"
        assert entry.is_dir(follow_symlinks=False) == stat.S_ISDIR(found.st_mode), entry.path
        if stat.S_ISDIR(found.st_mode):
            check(entry.path)


def main():
    children = []
    for number in range(PROCESSES):
        pid = os.fork()
        if pid == 0:
            try:
                Worker(number).work()
                os._exit(0)
            except BaseException as error:
                print(f"process {number}: {error!r}", file=sys.stderr, flush=True)
                os._exit(1)
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    assert codes == [0] * PROCESSES, codes
    check(".")


main()
