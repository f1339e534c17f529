#define _GNU_SOURCE
#include "Bounds.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "Refuge.h"

/* libjq 1.6 makes an array with an element far out at a stroke, and dies when there is no memory for
   it; so it does with the text of a value that is repeated within itself. Nobody outside can stop it
   within a step, so it asks here. */

_Thread_local struct mr_jq_blocks *mr_jq_blocks;

const char mr_jq_far_index[] = "an index is too far out";

static struct {
    jv (*jv_array_set)(jv, int, jv);
    void *(*jv_mem_alloc)(size_t);
    void *(*jv_mem_realloc)(void *, size_t);
    int (*jv_array_length)(jv);
    jv (*jv_copy)(jv);
    void (*jv_free)(jv);
    jv (*jv_string)(const char *);
    jv (*jv_invalid_with_msg)(jv);
} lib;

/* Smaller blocks are nobody's concern but the watch's; `memory.max` is no less. */
static const size_t large = 1 << 20;

static void forget(struct mr_jq_blocks *blocks, const void *block) {
    for (size_t index = blocks->count; index-- > 0;) {
        if (blocks->large[index] != block) continue;
        blocks->large[index] = blocks->large[--blocks->count];
        return;
    }
}

static void *allocate_large(size_t size) {
    struct mr_jq_blocks *blocks = mr_jq_blocks;
    /* While a program is compiled or an input is read, which is as large as a record may be. */
    if (mr_jq_refuge == NULL || blocks == NULL) return lib.jv_mem_alloc(size);
    void *block = size <= blocks->limit ? malloc(size) : NULL;
    if (block == NULL) longjmp(*mr_jq_refuge, MR_REFUGE_MEMORY);
    if (blocks->count < MR_JQ_LARGE_BLOCKS) blocks->large[blocks->count++] = block;
    return block;
}

static void *allocate(size_t size) {
    if (size >= large) return allocate_large(size);
    void *block = malloc(size);
    return block != NULL ? block : lib.jv_mem_alloc(size);
}

static void *reallocate(void *block, size_t size) {
    if (mr_jq_blocks != NULL) forget(mr_jq_blocks, block);
    return lib.jv_mem_realloc(block, size);
}

static void release(void *block) {
    struct mr_jq_blocks *blocks = mr_jq_blocks;
    if (blocks != NULL && blocks->count > 0) forget(blocks, block);
    free(block);
}

/* An array gets room for half as many elements again as it needs. */
static const size_t element_room = sizeof(jv) * 3 / 2;

static jv set_element(jv array, int index, jv value) {
    struct mr_jq_blocks *blocks = mr_jq_blocks;
    if (index < (int)(large / element_room) || blocks == NULL
        || (size_t)index < blocks->limit / element_room
        /* Who appends is not prepared for an error, and grows step by step. */
        || index <= lib.jv_array_length(lib.jv_copy(array)))
        return lib.jv_array_set(array, index, value);
    lib.jv_free(array);
    lib.jv_free(value);
    return lib.jv_invalid_with_msg(lib.jv_string(mr_jq_far_index));
}

void mr_jq_free_blocks(struct mr_jq_blocks *blocks) {
    while (blocks->count > 0) free(blocks->large[--blocks->count]);
}

/* Whether the loader has made the page of an address read-only. */
static int is_sealed(const struct link_map *map, uintptr_t address) {
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)map->l_addr;
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(map->l_addr + header->e_phoff);
    for (int index = 0; index < header->e_phnum; index++) {
        uintptr_t from = map->l_addr + segments[index].p_vaddr;
        if (segments[index].p_type == PT_GNU_RELRO && address >= from
            && address < from + segments[index].p_memsz)
            return 1;
    }
    return 0;
}

static void set_slot(const struct link_map *map, uintptr_t slot, uintptr_t target) {
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *page = (void *)(slot & ~(size - 1));
    int sealed = is_sealed(map, slot);
    if (sealed && mprotect(page, size, PROT_READ | PROT_WRITE) != 0) return;
    *(uintptr_t *)slot = target;
    if (sealed) mprotect(page, size, PROT_READ);
}

/* The functions that take the place of libjq's own. */
static const struct {
    const char *name;
    uintptr_t target;
} replacements[] = {
    {"jv_array_set", (uintptr_t)set_element},
    {"jv_mem_alloc", (uintptr_t)allocate},
    {"jv_mem_realloc", (uintptr_t)reallocate},
    {"jv_mem_free", (uintptr_t)release},
};

/* Redirects the library's calls of its own functions, which go through a table of addresses. */
static void redirect(const struct link_map *map) {
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    const ElfW(Rela) *calls = NULL;
    size_t size = 0;
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB: symbols = (const ElfW(Sym) *)entry->d_un.d_ptr; break;
        case DT_STRTAB: names = (const char *)entry->d_un.d_ptr; break;
        case DT_JMPREL: calls = (const ElfW(Rela) *)entry->d_un.d_ptr; break;
        case DT_PLTRELSZ: size = entry->d_un.d_val; break;
        }
    }
    if (symbols == NULL || names == NULL || calls == NULL) return;
    for (size_t index = 0; index < size / sizeof *calls; index++) {
        const char *name = names + symbols[ELF64_R_SYM(calls[index].r_info)].st_name;
        for (size_t at = 0; at < sizeof replacements / sizeof *replacements; at++) {
            if (strcmp(name, replacements[at].name) == 0)
                set_slot(map, map->l_addr + calls[index].r_offset, replacements[at].target);
        }
    }
}

void mr_jq_bound(void *library) {
    struct link_map *map = NULL;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == NULL) return;
#define LOOKUP(name)                                                                               \
    if ((lib.name = (__typeof__(lib.name))dlsym(library, #name)) == NULL) return;
    LOOKUP(jv_array_set) LOOKUP(jv_mem_alloc) LOOKUP(jv_mem_realloc) LOOKUP(jv_array_length)
    LOOKUP(jv_copy) LOOKUP(jv_free) LOOKUP(jv_string) LOOKUP(jv_invalid_with_msg)
    redirect(map);
}
