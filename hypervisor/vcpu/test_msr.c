/* Model-specific registers of a guest: by the table, and #GP for all others. */
#include "vcpu/msr.h"

#include <abi/version.h>

#include <string.h>

#include "check.h"
#include "domain/domain.h"
#include "mm/copy.h"
#include "vcpu/lapic.h"
#include "vcpu/vcpu.h"
#include "vcpu/virt.h"

/* ---- the rest of the core ---- */

static uint64_t efer;
static uint8_t page[PAGE_SIZE];
static bool page_is_there;

static bool fake_msr_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    (void)v;
    *value = efer;
    return index == 0xc0000080;
}

static bool fake_msr_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    (void)v;
    efer = value;
    return index == 0xc0000080 && value != 0xbad;
}

static const struct virt_ops ops = {.msr_read = fake_msr_read, .msr_write = fake_msr_write};
const struct virt_ops *virt = &ops;

bool lapic_msr_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    (void)v;
    *value = index;
    return index == 0x802 || index == 0x1b;
}

bool lapic_msr_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    (void)v, (void)value;
    return index == 0x80b;
}

int copy_to_gpa(struct domain *d, gpa_t dst, const void *src, size_t len)
{
    (void)d;
    EXPECT((dst.v & PAGE_MASK) + len <= PAGE_SIZE);
    memcpy(page + (dst.v & PAGE_MASK), src, len);
    return page_is_there ? 0 : -XEN_EFAULT;
}

static struct domain d;
static struct vcpu v = {.domain = &d};

static uint64_t get(uint32_t index)
{
    uint64_t value = 0xdead;

    EXPECT(msr_emulate_read(&v, index, &value));
    return value;
}

TEST(what_is_not_in_the_table_faults)
{
    static const uint32_t refused[] = {0x0,        0x17,       0x3a,       0x48,      0x179,
                                       0x186,      0x38f,      0xda0,      0x6e0,     0xc0000104,
                                       0xc0010114, 0xc0010117, 0xc0010000, 0xffffffff};
    uint64_t value;

    msr_reset(&v);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        EXPECT(!msr_emulate_read(&v, refused[i], &value));
        EXPECT(!msr_emulate_write(&v, refused[i], 0));
    }
}

TEST(memory_type_registers_remember)
{
    msr_reset(&v);
    EXPECT((get(0xfe) & 0xff) == 8 && get(0x2ff) == 0xc06);
    EXPECT(msr_emulate_write(&v, 0x200, 0xc0000000) && get(0x200) == 0xc0000000);
    EXPECT(msr_emulate_write(&v, 0x20f, 0xff0000800) && get(0x20f) == 0xff0000800);
    EXPECT(msr_emulate_write(&v, 0x250, 0x0606060606060606));
    EXPECT(msr_emulate_write(&v, 0x26f, 0x0505050505050505) && get(0x250) == 0x0606060606060606);
    EXPECT(!msr_emulate_write(&v, 0x2ff, 2) && !msr_emulate_write(&v, 0x2ff, 7));
    uint64_t value;

    EXPECT(!msr_emulate_read(&v, 0x251, &value) && !msr_emulate_write(&v, 0x260, 0));
    EXPECT(msr_emulate_write(&v, 0xfe, 0) && (get(0xfe) & 0xff) == 8); /* not to be changed */
}

TEST(registers_that_live_elsewhere)
{
    EXPECT(msr_emulate_write(&v, 0xc0000080, 0x500) && get(0xc0000080) == 0x500);
    EXPECT(!msr_emulate_write(&v, 0xc0000080, 0xbad));
    EXPECT(get(0x802) == 0x802 && msr_emulate_write(&v, 0x80b, 0));
    uint64_t value;

    EXPECT(!msr_emulate_read(&v, 0x840, &value) && !msr_emulate_write(&v, 0x802, 0));
    EXPECT(get(0x1b) == 0x1b && !msr_emulate_write(&v, 0x1b, 0)); /* the local APIC's as well */
}

TEST(amds_own_read_harmless_values)
{
    EXPECT(get(0x8b) == 0 && get(0xc0010010) == 0 && get(0xc0010015) == 1u << 24);
    EXPECT(get(0xc0011029) == 2 && get(0xc001001d) == 0);
    EXPECT(msr_emulate_write(&v, 0xc0011029, 2));
}

TEST(the_hypercall_page)
{
    page_is_there = true;
    memset(page, 0, sizeof(page));
    EXPECT(msr_emulate_write(&v, VERSION_HYPERCALL_MSR, 0x5000));
    EXPECT(memcmp(&page[544], "\xb8\x11\x00\x00\x00\x0f\x01\xd9\xc3\xcc", 10) == 0);
    EXPECT(page[PAGE_SIZE - 1] == 0xcc);
    EXPECT(!msr_emulate_write(&v, VERSION_HYPERCALL_MSR, 0x5001)); /* there is one page */
    page_is_there = false;
    EXPECT(!msr_emulate_write(&v, VERSION_HYPERCALL_MSR, 0x5000));
}
