/* The guest page walk: no paging, two levels, PAE, four and five levels. */
#include "mm/walk.h"

#include <arch/peek.h>

#include "mm/lookup.h"

#define CR0_WP (1u << 16)
#define CR0_PG (1u << 31)

#define CR4_PSE  (1u << 4)
#define CR4_PAE  (1u << 5)
#define CR4_LA57 (1u << 12)

#define EFER_LMA (1u << 10)

#define PTE_PRESENT  (1u << 0)
#define PTE_WRITE    (1u << 1)
#define PTE_ACCESSED (1u << 5)
#define PTE_DIRTY    (1u << 6)
#define PTE_LARGE    (1u << 7)
#define PTE_ADDRESS  0x000ffffffffff000ull

/* The shapes that x86 page tables come in. */
struct shape {
    uint8_t levels;
    uint8_t bits;     /* of an index */
    uint8_t size;     /* of an entry, in bytes */
    uint8_t top_bits; /* of the index at the top level */
    uint32_t large;   /* bit per level: may map pages itself */
    uint64_t root;    /* mask of CR3 */
};

static const struct shape shape_32 = {2, 10, 4, 10, 0, 0xfffff000};
static const struct shape shape_32_pse = {2, 10, 4, 10, 1u << 1, 0xfffff000};
static const struct shape shape_pae = {3, 9, 8, 2, 1u << 1, 0xffffffe0};
static const struct shape shape_4 = {4, 9, 8, 9, 1u << 1 | 1u << 2, PTE_ADDRESS};
static const struct shape shape_5 = {5, 9, 8, 9, 1u << 1 | 1u << 2, PTE_ADDRESS};

static inline bool is_canonical(uint64_t address, unsigned width)
{
    uint64_t high = address >> (width - 1);

    return high == 0 || high == UINT64_MAX >> (width - 1);
}

/* The entry itself, in the first window; NULL: no memory is there. */
static inline __attribute__((always_inline)) void *entry_at(const struct p2m *p2m, uint64_t gpa,
                                                            bool *writable)
{
    uint64_t e = lookup_entry(p2m, gpa >> PAGE_SHIFT);

    /* Page tables in the core's own pages would be nonsense, and are not looked at. */
    if (!entry_allows(entry_type(e), false) || entry_type(e) == P2M_SHARED)
        return NULL;
    *writable = entry_allows(entry_type(e), true);
    return (char *)peek(0, lookup_mfn(e)) + (gpa & PAGE_MASK);
}

static inline uint64_t entry_load(const void *at, unsigned size)
{
    return size == 8 ? *(const volatile uint64_t *)at : *(const volatile uint32_t *)at;
}

/* Sets bits unless the guest changed the entry meanwhile: then the old answer still was right. */
static void entry_mark(void *at, unsigned size, uint64_t old, uint64_t bits)
{
    uint32_t old32 = (uint32_t)old;

    if (size == 8)
        (void)__atomic_compare_exchange_n((uint64_t *)at, &old, old | bits, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED);
    else
        (void)__atomic_compare_exchange_n((uint32_t *)at, &old32, (uint32_t)(old | bits), false,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A large page's frame: 4 MiB pages of two-level tables keep bits 32 to 39 at 13 to 20. */
static inline uint64_t leaf_base(const struct shape *s, uint64_t e, uint64_t offset_mask)
{
    if (s->size == 4) {
        uint64_t high = offset_mask > PAGE_MASK ? (e >> 13 & 0xff) << 32 : 0;
        return (e & 0xffffffff & ~offset_mask) | high;
    }
    return e & PTE_ADDRESS & ~offset_mask;
}

/* Made once for each shape, so that all about the shape is known to the compiler. */
static inline __attribute__((always_inline)) int walk_shape(const struct p2m *p2m,
                                                            const struct vcpu_mode *mode,
                                                            uint64_t address, bool write,
                                                            uint64_t *gpa, const struct shape *s)
{
    uint64_t table = mode->cr3 & s->root, mask = (1u << s->top_bits) - 1;
    unsigned shift = PAGE_SHIFT + s->bits * (s->levels - 1u);
    uint64_t rights = PTE_WRITE; /* at every level */
    uint64_t need = PTE_PRESENT | (write && mode->cr0 & CR0_WP ? PTE_WRITE : 0u);

    for (unsigned level = s->levels - 1u;; level--, shift -= s->bits) {
        bool markable;
        char *at = entry_at(p2m, table + (address >> shift & mask) * s->size, &markable);
        if (!at)
            return -XEN_EFAULT;
        uint64_t e = entry_load(at, s->size);
        bool pdpte = s->top_bits == 2 && level == 2; /* of PAE: neither rights nor accessed bit */
        uint64_t needed = pdpte ? PTE_PRESENT : need;
        rights &= pdpte ? rights : e;
        if ((e & needed) != needed)
            return -XEN_EFAULT;
        bool leaf = level == 0 || (e & PTE_LARGE && s->large >> level & 1);
        uint64_t bits = PTE_ACCESSED | (leaf && write ? PTE_DIRTY : 0u);
        if ((e & bits) != bits && !pdpte && markable)
            entry_mark(at, s->size, e, bits);
        if (leaf) {
            uint64_t offset = (1ull << shift) - 1;
            *gpa = leaf_base(s, e, offset) | (address & offset);
            return write || (rights & PTE_WRITE && e & PTE_DIRTY);
        }
        table = s->size == 4 ? e & 0xfffff000 : e & PTE_ADDRESS;
        mask = (1u << s->bits) - 1;
    }
}

static int walk_long(const struct p2m *p2m, const struct vcpu_mode *mode, uint64_t address,
                     bool write, uint64_t *gpa)
{
    bool five = mode->cr4 & CR4_LA57;

    if (!is_canonical(address, five ? 57 : 48))
        return -XEN_EFAULT;
    if (five)
        return walk_shape(p2m, mode, address, write, gpa, &shape_5);
    return walk_shape(p2m, mode, address, write, gpa, &shape_4);
}

int walk(const struct p2m *p2m, const struct vcpu_mode *mode, uint64_t address, bool write,
         uint64_t *gpa)
{
    if (mode->efer & EFER_LMA)
        return walk_long(p2m, mode, address, write, gpa);
    address &= 0xffffffff;
    if (!(mode->cr0 & CR0_PG)) {
        *gpa = address;
        return 1;
    }
    if (mode->cr4 & CR4_PAE)
        return walk_shape(p2m, mode, address, write, gpa, &shape_pae);
    if (mode->cr4 & CR4_PSE)
        return walk_shape(p2m, mode, address, write, gpa, &shape_32_pse);
    return walk_shape(p2m, mode, address, write, gpa, &shape_32);
}
