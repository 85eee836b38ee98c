// limit MOUNTPOINT: a FUSE file system whose server does almost nothing, to measure what the kernel itself takes for its messages.
//
// It keeps names, kinds and sizes in memory, and forgets what is written: files read as zeros. It asks the kernel for the same
// features as src/overlay does, lets it keep all answers for ever, and looks for the next request for 30 us before it sleeps,
// on one thread. No server that keeps what it is given can be faster with these messages.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FEATURES (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_DO_READDIRPLUS | FUSE_PARALLEL_DIROPS \
  | FUSE_POSIX_ACL | FUSE_DONT_MASK | FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT | FUSE_HANDLE_KILLPRIV_V2 \
  | FUSE_CACHE_SYMLINKS | FUSE_EXPLICIT_INVAL_DATA | FUSE_WRITEBACK_CACHE)
#define MOST (1 << 20)
#define BUCKETS (1 << 18)
#define FOR_EVER 3000000000ul
#define MOMENT 30e-6

struct entry { // a name
  struct entry *same_bucket, *next, **place; // the last two: of the directory's list
  unsigned parent, node, cookie;
  char name[];
};
static struct { unsigned mode, links; unsigned long size; char *target; struct entry *first, **last; } nodes[MOST];
static struct entry *buckets[BUCKETS];
static unsigned used = 1, cookies;
static char in[(1 << 20) + (1 << 16)], listing[1 << 17], zeros[1 << 20];

static struct entry **find(unsigned parent, const char *name) {
  unsigned hash = parent * 2654435761u;
  for (const char *at = name; *at; at++) hash = hash * 31 + (unsigned char)*at;
  struct entry **at = &buckets[(hash ^ hash >> 15) % BUCKETS];
  while (*at && ((*at)->parent != parent || strcmp((*at)->name, name))) at = &(*at)->same_bucket;
  return at;
}
static void add(unsigned parent, const char *name, unsigned node) {
  struct entry **at = find(parent, name), *entry = malloc(sizeof *entry + strlen(name) + 1);
  *entry = (struct entry){ .place = nodes[parent].last, .parent = parent, .node = node, .cookie = ++cookies };
  strcpy(entry->name, name);
  *at = *nodes[parent].last = entry;
  nodes[parent].last = &entry->next;
}
static void removed(unsigned parent, const char *name) {
  struct entry **at = find(parent, name), *entry = *at;
  if (!entry) return;
  nodes[entry->node].links--;
  *at = entry->same_bucket;
  *entry->place = entry->next;
  if (entry->next) entry->next->place = entry->place;
  else nodes[parent].last = entry->place;
  free(entry);
}
static unsigned made(unsigned mode) {
  if (++used >= MOST) { fprintf(stderr, "limit: more than %d files\n", MOST); exit(1); }
  nodes[used].mode = mode;
  nodes[used].links = 1;
  nodes[used].last = &nodes[used].first;
  return used;
}
static struct fuse_attr attributes(unsigned node) {
  return (struct fuse_attr){ .ino = node, .size = nodes[node].size, .blocks = nodes[node].size / 512, .mode = nodes[node].mode,
    .nlink = S_ISDIR(nodes[node].mode) ? 2 : nodes[node].links, .blksize = 4096 };
}
static struct fuse_entry_out known(unsigned node) { // 0: there is no such name
  struct fuse_entry_out out = { .nodeid = node, .entry_valid = FOR_EVER, .attr_valid = FOR_EVER };
  if (node) out.attr = attributes(node);
  return out;
}
static size_t list(unsigned node, struct fuse_read_in *asked) {
  size_t length = 0, most = asked->size < sizeof listing ? asked->size : sizeof listing;
  for (struct entry *entry = nodes[node].first; entry; entry = entry->next) {
    if (entry->cookie <= asked->offset) continue;
    size_t name = strlen(entry->name), all = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS + name);
    if (length + all > most) break;
    struct fuse_direntplus *out = (void *)(listing + length);
    memset(out, 0, all);
    out->entry_out = known(entry->node);
    out->dirent = (struct fuse_dirent){ entry->node, entry->cookie, name, nodes[entry->node].mode >> 12 };
    memcpy(out->dirent.name, entry->name, name);
    length += all;
  }
  return length;
}
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
  int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  char options[100];
  sprintf(options, "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other", device);
  if (count != 2 || device < 0 || mount("limit", words[1], "fuse.limit", 0, options)) { perror("limit"); return 1; }
  if (daemon(1, 1)) return 1;
  nodes[1].mode = S_IFDIR | 0755;
  nodes[1].last = &nodes[1].first;
  struct fuse_in_header *head = (void *)in;
  void *asked = in + sizeof *head;
  for (;;) {
    struct pollfd ready = { device, POLLIN, 0 };
    for (double begun = now(); !poll(&ready, 1, 0) && now() - begun < MOMENT;);
    if (read(device, in, sizeof in) < 0) {
      if (errno == ENODEV) return 0;
      continue;
    }
    unsigned node = head->nodeid;
    union { struct fuse_init_out init; struct fuse_entry_out entry; struct fuse_attr_out attr; struct fuse_write_out write;
      struct fuse_statfs_out statfs; } answer = { 0 };
    void *bytes = &answer;
    size_t length = 0;
    int error = 0;
    switch (head->opcode) {
    case FUSE_INIT: {
      struct fuse_init_in *offered = asked;
      answer.init = (struct fuse_init_out){ .major = 7, .minor = offered->minor < 36 ? offered->minor : 36,
        .max_readahead = offered->max_readahead, .flags = offered->flags & FEATURES, .max_background = 64,
        .congestion_threshold = 48, .max_write = 1 << 20, .time_gran = 1, .max_pages = 256 };
      length = sizeof answer.init;
      break;
    }
    case FUSE_LOOKUP: {
      struct entry *entry = *find(node, asked);
      answer.entry = known(entry ? entry->node : 0);
      length = sizeof answer.entry;
      break;
    }
    case FUSE_MKNOD: case FUSE_MKDIR: case FUSE_SYMLINK: case FUSE_LINK: {
      const char *name = asked;
      unsigned of;
      if (head->opcode == FUSE_MKNOD) of = made(((struct fuse_mknod_in *)asked)->mode), name += sizeof(struct fuse_mknod_in);
      else if (head->opcode == FUSE_MKDIR) of = made(S_IFDIR | ((struct fuse_mkdir_in *)asked)->mode), name += sizeof(struct fuse_mkdir_in);
      else if (head->opcode == FUSE_LINK) nodes[of = ((struct fuse_link_in *)asked)->oldnodeid].links++, name += sizeof(struct fuse_link_in);
      else {
        nodes[of = made(S_IFLNK | 0777)].target = strdup(name + strlen(name) + 1);
        nodes[of].size = strlen(nodes[of].target);
      }
      add(node, name, of);
      answer.entry = known(of);
      length = sizeof answer.entry;
      break;
    }
    case FUSE_SETATTR: {
      struct fuse_setattr_in *set = asked;
      if (set->valid & FATTR_MODE) nodes[node].mode = set->mode;
      if (set->valid & FATTR_SIZE) nodes[node].size = set->size;
    } // and the answer is
    case FUSE_GETATTR:
      answer.attr = (struct fuse_attr_out){ .attr_valid = FOR_EVER, .attr = attributes(node) };
      length = sizeof answer.attr;
      break;
    case FUSE_WRITE: {
      struct fuse_write_in *put = asked;
      if (put->offset + put->size > nodes[node].size) nodes[node].size = put->offset + put->size;
      answer.write.size = put->size;
      length = sizeof answer.write;
      break;
    }
    case FUSE_READ:
      bytes = zeros, length = ((struct fuse_read_in *)asked)->size;
      break;
    case FUSE_READLINK:
      bytes = nodes[node].target, length = strlen(bytes);
      break;
    case FUSE_READDIRPLUS:
      bytes = listing, length = list(node, asked);
      break;
    case FUSE_STATFS:
      answer.statfs.st = (struct fuse_kstatfs){ .bsize = 4096, .namelen = 255 };
      length = sizeof answer.statfs;
      break;
    case FUSE_RENAME: case FUSE_RENAME2: {
      const char *name = asked;
      name += head->opcode == FUSE_RENAME ? sizeof(struct fuse_rename_in) : sizeof(struct fuse_rename2_in);
      unsigned to = ((struct fuse_rename_in *)asked)->newdir, of = (*find(node, name))->node;
      nodes[of].links++;
      removed(to, name + strlen(name) + 1);
      removed(node, name);
      add(to, name + strlen(name) + 1, of);
      break;
    }
    case FUSE_UNLINK: case FUSE_RMDIR: removed(node, asked); break;
    case FUSE_FSYNC: case FUSE_DESTROY: break;
    case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: continue;
    case FUSE_GETXATTR: error = ENODATA; break;
    default: error = ENOSYS;
    }
    struct fuse_out_header out = { sizeof out + length, -error, head->unique };
    struct iovec parts[] = { { &out, sizeof out }, { bytes, length } };
    if (writev(device, parts, 2) < 0 && errno == ENODEV) return 0;
  }
}
