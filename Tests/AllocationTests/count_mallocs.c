// Counts heap allocations of the process it is preloaded into, and writes three numbers to the file
// that MALLOC_COUNT_FILE names when the process ends: those that SQLite's library made for itself,
// all others, and how often SQLite waited for the disk, which it does once for each transaction.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long count, sqlite_count, sqlite_syncs;
static uintptr_t sqlite_start, sqlite_end;

static int is_sqlite(void *caller) {
    uintptr_t place = (uintptr_t)caller;
    return place >= sqlite_start && place < sqlite_end;
}

static void note(void *caller) {
    atomic_fetch_add_explicit(is_sqlite(caller) ? &sqlite_count : &count, 1, memory_order_relaxed);
}

int fdatasync(int file) {
    if (is_sqlite(__builtin_return_address(0)))
        atomic_fetch_add_explicit(&sqlite_syncs, 1, memory_order_relaxed);
    return (int)syscall(SYS_fdatasync, file);
}

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
    note(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    note(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    note(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    void *memory = memalign(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}

static void report(void) {
    const char *path = getenv("MALLOC_COUNT_FILE");
    if (!path) return;
    char text[64];
    int length = snprintf(text, sizeof text, "%ld %ld %ld\n", atomic_load(&sqlite_count),
                          atomic_load(&count), atomic_load(&sqlite_syncs));
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return;
    if (write(file, text, (size_t)length) < 0) _exit(125);
    close(file);
}

static int find_sqlite(struct dl_phdr_info *library, size_t size, void *unused) {
    (void)size, (void)unused;
    if (!library->dlpi_name || !strstr(library->dlpi_name, "libsqlite3")) return 0;
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        sqlite_start = library->dlpi_addr + part->p_vaddr;
        sqlite_end = sqlite_start + part->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void start(void) {
    dl_iterate_phdr(find_sqlite, NULL);
    atexit(report);
}
