#include "mm/copy.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <abi/xen.h>

#include "domain/domain.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "vcpu/vcpu.h"

#define PAGES 1024u

#define PRESENT 1u
#define WRITE   2u
#define LARGE   0x80u
#define RW      (PRESENT | WRITE)

static struct domain d, other;
static struct vcpu v;
static void domain_start(struct domain *dom, uint64_t pages)
{
    *dom = (struct domain){.frames_max = pages};
    EXPECT(p2m_init(&dom->p2m, dom) == 0);
    for (uint64_t g = 0; g < pages; g++)
        EXPECT(p2m_map(&dom->p2m, (gfn_t){g}, frame_alloc(1, 0), 0, P2M_RAM) == 0);
}

static void start(void)
{
    fake_machine();
    domain_start(&d, PAGES);
    v = (struct vcpu){.domain = &d};
    fake_mode = (struct vcpu_mode){0};
}

static void put8(uint64_t gpa, uint64_t value)
{
    EXPECT(copy_to_gpa(&d, (gpa_t){gpa}, &value, 8) == 0);
    copy_forget();
}

static void put4(uint64_t gpa, uint32_t value)
{
    EXPECT(copy_to_gpa(&d, (gpa_t){gpa}, &value, 4) == 0);
}

static uint64_t get8(uint64_t gpa)
{
    uint64_t value = 0;

    EXPECT(copy_from_gpa(&d, &value, (gpa_t){gpa}, 8) == 0);
    return value;
}

static bool leads(uint64_t linear, uint64_t gpa)
{
    gpa_t got = {0};

    copy_forget();
    return copy_translate(&v, (gla_t){linear}, false, &got) == 0 && got.v == gpa;
}

static bool faults(uint64_t linear, bool write)
{
    gpa_t got;

    copy_forget();
    return copy_translate(&v, (gla_t){linear}, write, &got) == -XEN_EFAULT;
}

/* Four levels: tables at 0x1000 ... 0x4000; linear 0xffff800000000000 + n pages. */
#define BASE 0xffff800000000000ull

static void long_mode(void)
{
    start();
    fake_mode = (struct vcpu_mode){.cr0 = 0x80010001, .cr3 = 0x1000, .cr4 = 0x20, .efer = 0x500};
    put8(0x1000 + 256 * 8, 0x2000 | RW);
    put8(0x2000, 0x3000 | RW);
    put8(0x3000, 0x4000 | RW);
    put8(0x4000, 0x10000 | RW);      /* page 0 */
    put8(0x4008, 0x11000 | PRESENT); /* page 1: read-only */
    put8(0x4018, 0x20000 | RW);      /* page 3; page 2 is not there */
    put8(0x4020, 0x999000000 | RW);  /* page 4: beyond memory */
    put8(0x3008, 0x200000 | RW | LARGE);
    put8(0x2008, 0x0 | RW | LARGE);
}

TEST(no_paging)
{
    start();
    EXPECT(leads(0x1234, 0x1234));
    EXPECT(leads(0x100001234, 0x1234));
}

TEST(four_levels)
{
    long_mode();
    EXPECT(leads(BASE + 0x123, 0x10123));
    EXPECT(leads(BASE + 0x3456, 0x20456));
    EXPECT(leads(BASE + 0x212345, 0x212345));
    EXPECT(leads(BASE + 0x40000000 + 0x54321, 0x54321));
    EXPECT(faults(BASE + 0x2000, false));
    EXPECT(faults(BASE + 0x40400000 * 512ull, false));
    EXPECT(faults(0x0000800000000000, false));
    EXPECT(faults(0x1000, false));
}

TEST(write_protection)
{
    long_mode();
    EXPECT(faults(BASE + 0x1000, true) && !faults(BASE + 0x1000, false));
    fake_mode.cr0 &= ~0x10000ull; /* without WP the supervisor writes anywhere */
    EXPECT(!faults(BASE + 0x1000, true));
    fake_mode.cr0 |= 0x10000;
    put8(0x2000, 0x3000 | PRESENT);
    EXPECT(faults(BASE, true) && !faults(BASE, false));
}

TEST(accessed_and_dirty)
{
    char byte = 1;

    long_mode();
    EXPECT(copy_from_guest(&v, &byte, (gla_t){BASE}, 1) == 0);
    EXPECT((get8(0x1000 + 256 * 8) & 0x60) == 0x20 && (get8(0x4000) & 0x60) == 0x20);
    EXPECT(copy_to_guest(&v, (gla_t){BASE}, &byte, 1) == 0);
    EXPECT((get8(0x3000) & 0x60) == 0x20 && (get8(0x4000) & 0x60) == 0x60);
    EXPECT(copy_to_guest(&v, (gla_t){BASE + 0x200000}, &byte, 1) == 0);
    EXPECT((get8(0x3008) & 0x60) == 0x60);
}

TEST(five_levels)
{
    long_mode();
    fake_mode.cr4 |= 1u << 12;
    fake_mode.cr3 = 0x8000;
    put8(0x8000 + 0x1ff * 8, 0x1000 | RW);
    EXPECT(leads(BASE + 0x3456, 0x20456));
    EXPECT(faults(0x0100000000000000, false));
    put8(0x8000, 0x1000 | RW);
    EXPECT(leads(0x0000800000003456, 0x20456)); /* canonical here, not with four levels */
}

TEST(pae)
{
    start();
    fake_mode = (struct vcpu_mode){.cr0 = 0x80010001, .cr3 = 0x1020, .cr4 = 0x20};
    put8(0x1020 + 3 * 8, 0x2000 | PRESENT);
    put8(0x2000, 0x3000 | RW);
    put8(0x2008, 0x200000 | RW | LARGE);
    put8(0x3008, 0x9000 | RW);
    EXPECT(leads(0xc0001abc, 0x9abc) && !faults(0xc0001abc, true));
    EXPECT(leads(0xffffffffc0301abcull, 0x301abc));
    EXPECT(faults(0x1000, false));
    EXPECT(get8(0x1020 + 3 * 8) == (0x2000 | PRESENT)); /* has no accessed bit */
}

TEST(two_levels)
{
    start();
    fake_mode = (struct vcpu_mode){.cr0 = 0x80010001, .cr3 = 0x1000};
    put4(0x1000 + 4 * 3, 0x2000 | RW);
    put4(0x2000 + 4 * 5, 0x7000 | RW);
    put4(0x1000, 0x0 | RW | LARGE);
    EXPECT(leads(0xc05abc, 0x7abc));
    EXPECT(faults(0x3abc, false)); /* without PSE it is a table, and its entry is empty */
    fake_mode.cr4 = 0x10;
    EXPECT(leads(0x3abc, 0x3abc));
    put4(0x1004, 0x00402000 | RW | LARGE); /* bit 32 of the address stands at bit 13 */
    EXPECT(leads(0x400123, 0x100400123));
}

TEST(tables_that_are_not_there)
{
    char byte;

    long_mode();
    fake_mode.cr3 = 0x7777777000;
    EXPECT(faults(BASE, false));
    fake_mode.cr3 = UINT64_MAX;
    EXPECT(faults(BASE, false));
    fake_mode.cr3 = 0x1000;
    put8(0x2000, 0x000ffffffffff000 | RW);
    EXPECT(faults(BASE, false));
    put8(0x2000, 0x3000 | RW);
    EXPECT(copy_from_guest(&v, &byte, (gla_t){BASE + 0x4000}, 1) == -XEN_EFAULT);
}

TEST(copies_cross_pages)
{
    char out[0x1800], in[0x1800];

    long_mode();
    put8(0x4010, 0x21000 | RW); /* page 2 */
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (char)(i * 7);
    EXPECT(copy_to_guest(&v, (gla_t){BASE + 0x2800}, out, sizeof(out)) == 0);
    EXPECT(copy_from_guest(&v, in, (gla_t){BASE + 0x2800}, sizeof(in)) == 0);
    EXPECT(memcmp(in, out, sizeof(in)) == 0);
    EXPECT(copy_from_gpa(&d, in, (gpa_t){0x21800}, 0x800) == 0 && memcmp(in, out, 0x800) == 0);
    EXPECT(copy_from_guest(&v, in, (gla_t){BASE + 0x3f00}, 0x200) == -XEN_EFAULT);
    EXPECT(memcmp(in, out + 0x1700, 0x100) == 0); /* what came before is there */
    EXPECT(copy_from_guest(&v, in, (gla_t){UINT64_MAX - 3}, 16) == -XEN_EFAULT);
}

TEST(instructions_up_to_the_end)
{
    uint8_t bytes[15];

    long_mode();
    EXPECT(copy_instruction(&v, bytes, (gla_t){BASE + 0x1ffa}, 15) == 6);
    EXPECT(copy_instruction(&v, bytes, (gla_t){BASE + 0x10}, 15) == 15);
    EXPECT(copy_instruction(&v, bytes, (gla_t){BASE + 0xffa}, 15) == 15);
    EXPECT(copy_instruction(&v, bytes, (gla_t){BASE + 0x2000}, 15) == 0);
}

/* Until the guest runs again its page tables are not asked twice, but for the right to write. */
TEST(what_is_known)
{
    uint64_t nothing = 0;
    char byte;

    long_mode();
    EXPECT(copy_from_guest(&v, &byte, (gla_t){BASE + 0x1000}, 1) == 0);
    EXPECT(copy_to_guest(&v, (gla_t){BASE + 0x1000}, &byte, 1) == -XEN_EFAULT);
    EXPECT(copy_from_guest(&v, &byte, (gla_t){BASE}, 1) == 0);
    EXPECT(copy_to_gpa(&d, (gpa_t){0x4000}, &nothing, 8) == 0);
    EXPECT(copy_from_guest(&v, &byte, (gla_t){BASE + 5}, 1) == 0);
    copy_forget();
    EXPECT(copy_from_guest(&v, &byte, (gla_t){BASE + 5}, 1) == -XEN_EFAULT);
}

/* What the CPU remembers of nested tables does not outlive the entry. */
TEST(what_was_looked_up_and_removed)
{
    enum p2m_type type;
    mfn_t old;
    char byte = 0;

    start();
    EXPECT(copy_to_gpa(&d, (gpa_t){0x5000}, &byte, 1) == 0);
    EXPECT(p2m_take(&d.p2m, (gfn_t){5}, P2M_ALL, &old, &type) == 0);
    EXPECT(copy_from_gpa(&d, &byte, (gpa_t){0x5000}, 1) == -XEN_EFAULT);
    mfn_t fresh = frame_alloc(1, 0);
    EXPECT(p2m_map(&d.p2m, (gfn_t){5}, fresh, 0, P2M_RAM) == 0);
    EXPECT(copy_to_gpa(&d, (gpa_t){0x5000}, "x", 1) == 0);
    EXPECT(*(char *)fake_frame(fresh.v) == 'x');
    p2m_fini(&d.p2m);
    EXPECT(copy_from_gpa(&d, &byte, (gpa_t){0x6000}, 1) == -XEN_EFAULT);
}

TEST(kinds_of_memory)
{
    char *shared, byte = 5;

    start();
    shared = pool_alloc(0);
    EXPECT(p2m_map(&d.p2m, (gfn_t){0x1000}, pool_mfn(shared), 0, P2M_SHARED) == 0);
    EXPECT(p2m_map(&d.p2m, (gfn_t){0x1001}, frame_alloc(1, 0), 0, P2M_RAM_RO) == 0);
    EXPECT(p2m_map(&d.p2m, (gfn_t){0x1002}, (mfn_t){0xfee00}, 0, P2M_DEVICE) == 0);
    EXPECT(copy_to_gpa(&d, (gpa_t){0x1000010}, &byte, 1) == 0 && shared[16] == 5);
    EXPECT(copy_from_gpa(&d, &byte, (gpa_t){0x1001000}, 1) == 0);
    EXPECT(copy_to_gpa(&d, (gpa_t){0x1001000}, &byte, 1) == -XEN_EFAULT);
    EXPECT(copy_from_gpa(&d, &byte, (gpa_t){0x1002000}, 1) == -XEN_EFAULT);
    EXPECT(copy_from_gpa(&d, &byte, (gpa_t){0x1003000}, 1) == -XEN_EFAULT);
    EXPECT(copy_from_gpa(&d, &byte, (gpa_t){UINT64_MAX}, 2) == -XEN_EFAULT);
    EXPECT(copy_from_gpa(&d, NULL, (gpa_t){UINT64_MAX}, 0) == 0);
}

TEST(across_two_domains)
{
    char text[3000], back[3000];

    long_mode();
    domain_start(&other, 16);
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 3);
    put8(0x4008, 0x11000 | RW);
    EXPECT(copy_to_guest(&v, (gla_t){BASE + 0x700}, text, sizeof(text)) == 0);
    EXPECT(copy_across(&v, (gla_t){BASE + 0x700}, &other, (gpa_t){0x2e00}, 3000, false) == 0);
    EXPECT(copy_from_gpa(&other, back, (gpa_t){0x2e00}, 3000) == 0);
    EXPECT(memcmp(text, back, 3000) == 0);
    EXPECT(copy_across(&v, (gla_t){BASE}, &other, (gpa_t){0x2e01}, 100, true) == 0);
    EXPECT(copy_from_gpa(&d, back, (gpa_t){0x10000}, 100) == 0);
    EXPECT(memcmp(text + 1, back, 100) == 0);
    EXPECT(copy_across(&v, (gla_t){BASE}, &other, (gpa_t){0xfff0}, 32, false) == -XEN_EFAULT);
    EXPECT(copy_across(&v, (gla_t){BASE + 1}, &d, (gpa_t){0x10000}, 50, true) == 0);
    p2m_fini(&other.p2m);
}
