/* From the builder's start info to the program's main(). */
#include <rt/life.h>
#include <rt/start.h>

#include <elf.h>
#include <string.h>

#include <abi/layout.h>
#include <abi/version.h>

#include "cpu.h"
#include "internal.h"

#define WORDS_MAX 64

struct start start_info;
/* The core's leaf 4, on this domain; all 0: there is none. Each CPUID leaves the domain, so once.
 */
static struct cpuid about;

_Noreturn void start_main(uint32_t info);
_Noreturn void start_program(uint64_t *stack);

/* An address from the builder; everything below 4 GiB is mapped at this time. */
static const void *at(uint64_t gpa)
{
    return (const void *)(uintptr_t)gpa; /* NOLINT(performance-no-int-to-ptr) */
}

static void take_ram(const struct hvm_memmap_table_entry *e)
{
    uint64_t start = (e->addr + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
    uint64_t end = e->size < LAYOUT_LOW_END ? e->addr + e->size : LAYOUT_LOW_END;

    if (e->type != XEN_HVM_MEMMAP_TYPE_RAM || e->addr >= LAYOUT_LOW_END)
        return;
    if (end > LAYOUT_LOW_END)
        end = LAYOUT_LOW_END;
    end &= ~(uint64_t)PAGE_MASK;
    if (start < end && start_info.ram_count < START_RANGES)
        start_info.ram[start_info.ram_count++] = (struct range){start, end};
}

/* Everything is copied before the first page of RAM is given away. */
static void take_info(const struct hvm_start_info *info)
{
    if (info->magic != XEN_HVM_START_MAGIC_VALUE || info->version < 1)
        die("not started as a PVH domain");

    const struct hvm_memmap_table_entry *map = at(info->memmap_paddr);

    for (uint32_t i = 0; i < info->memmap_entries; i++)
        take_ram(&map[i]);
    if (info->nr_modules > 0) {
        const struct hvm_modlist_entry *module = at(info->modlist_paddr);

        if (module->paddr < LAYOUT_LOW_END && module->size <= LAYOUT_LOW_END - module->paddr)
            start_info.module = (struct range){module->paddr, module->paddr + module->size};
    }
    if (info->cmdline_paddr != 0) {
        const char *line = at(info->cmdline_paddr);

        for (size_t i = 0; i + 1 < sizeof(start_info.line) && line[i] != 0; i++)
            start_info.line[i] = line[i];
    }
}

static void find_core(void)
{
    for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
        struct cpuid c = cpuid_get(base);

        if (c.b == XEN_CPUID_SIGNATURE_EBX && c.c == XEN_CPUID_SIGNATURE_ECX &&
            c.d == XEN_CPUID_SIGNATURE_EDX && c.a >= base + 2) {
            if (c.a >= base + 4)
                about = cpuid_get(base + 4);
            return;
        }
    }
}

domid_t start_domid(void)
{
    return about.a & XEN_HVM_CPUID_DOMID_PRESENT ? (domid_t)about.c : DOMID_SELF;
}

int start_has_iommu(void)
{
    return (about.a & XEN_HVM_CPUID_IOMMU_MAPPINGS) != 0;
}

const void *start_module(size_t *len)
{
    *len = start_info.module.end - start_info.module.start;
    return *len > 0 ? at(start_info.module.start) : NULL;
}

uint64_t start_random(void)
{
    static uint64_t state;
    static int has_rdrand = -1;
    uint64_t v = 0;
    uint8_t ok = 0;

    if (has_rdrand < 0)
        has_rdrand = cpuid_get(1).c >> 30 & 1;
    if (has_rdrand)
        for (int i = 0; i < 16 && !ok; i++)
            __asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc");
    /* Without RDRAND only hard to guess by chance: the time mixed by a 64-bit finaliser. */
    state = (state ^ v ^ tsc_read()) + 0x9e3779b97f4a7c15;
    uint64_t z = state;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return v ^ z ^ z >> 31;
}

/* "domainN": the core does not tell a domain the name it was given. */
static char *own_name(void)
{
    static char name[16] = "domain";
    char digits[8];
    size_t n = 0;
    size_t len = strlen(name);
    unsigned id = start_domid();

    do
        digits[n++] = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    while (n > 0)
        name[len++] = digits[--n];
    return name;
}

static size_t split(char *line, char **words)
{
    size_t count = 0;

    for (char *p = line; *p != 0 && count < WORDS_MAX;) {
        if (*p == ' ' || *p == '\t') {
            *p++ = 0;
            continue;
        }
        words[count++] = p;
        while (*p != 0 && *p != ' ' && *p != '\t')
            p++;
    }
    return count;
}

static uint64_t *put_auxiliary(uint64_t *p)
{
    static uint64_t seed[2];
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *)image_start;

    seed[0] = start_random();
    seed[1] = start_random();
    *p++ = AT_PHDR;
    *p++ = (uint64_t)(uintptr_t)image_start + elf->e_phoff;
    *p++ = AT_PHENT;
    *p++ = elf->e_phentsize;
    *p++ = AT_PHNUM;
    *p++ = elf->e_phnum;
    *p++ = AT_PAGESZ;
    *p++ = PAGE_SIZE;
    *p++ = AT_RANDOM;
    *p++ = (uint64_t)(uintptr_t)seed;
    *p++ = AT_NULL;
    *p++ = 0;
    return p;
}

/* The initial process stack of the System V ABI: argc, argv, an empty environment, auxiliaries. */
static _Noreturn void enter_program(void)
{
    char *words[WORDS_MAX];
    size_t count = split(start_info.line, words);
    size_t stack_len = (size_t)(main_stack_top - main_stack);
    uint64_t *stack = (uint64_t *)(void *)main_stack + stack_len / 8 - (WORDS_MAX + 32);
    uint64_t *p = stack;

    *p++ = count + 1;
    *p++ = (uint64_t)(uintptr_t)own_name();
    for (size_t i = 0; i < count; i++)
        *p++ = (uint64_t)(uintptr_t)words[i];
    *p++ = 0;
    *p++ = 0;
    (void)put_auxiliary(p);
    start_program(stack);
}

void start_main(uint32_t info)
{
    trap_init();
    life_init();
    find_core();
    take_info(at(info));
    memory_init();
    paging_init();
    /* One stack for system calls: one virtual CPU. */
    if ((about.a & XEN_HVM_CPUID_VCPU_ID_PRESENT) != 0 && about.b != 0)
        die("not started on vCPU 0");
    event_init();
    life_stamp(LIFE_MAIN);
    enter_program();
}
