/* Model-specific registers of a guest. */
#include "vcpu/msr.h"

#include <abi/version.h>

#include <arch/msr.h>

#include "mm/copy.h"
#include "util/string.h"
#include "vcpu/virt.h"

#define MSR_TSC                0x10u
#define MSR_MTRR_CAP           0xfeu
#define MSR_MTRR_VARIABLE_LAST 0x20fu
#define MSR_MTRR_DEFAULT       0x2ffu

/* Eight variable ranges, the fixed ones, write combining. */
#define MTRR_VARIABLE_COUNT 8u
#define MTRR_CAP_VALUE      (MTRR_VARIABLE_COUNT | 1u << 8 | 1u << 10)
#define MTRR_DEFAULT_RESET  0xc06u /* enabled, write-back */
#define MTRR_TYPES          ((1u << 0) | (1u << 1) | (1u << 4) | (1u << 5) | (1u << 6))

/* Plain enabled features (fast strings), no limit on CPUID. */
#define MISC_ENABLE_VALUE        1u
#define DE_CFG_LFENCE_SERIALIZES 2u

/*
 * Rules by register. Exceptions to "reads give a constant, writes are ignored"
 * have functions; what is not in the table raises #GP, which Linux survives for
 * registers that it only hopes for.
 */
struct msr_row {
    uint32_t first, last;
    bool (*read)(struct vcpu *v, uint32_t index, uint64_t *value);
    bool (*write)(struct vcpu *v, uint32_t index, uint64_t value);
    uint64_t constant; /* read where there is no function */
};

static bool vendor_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    return virt->msr_read(v, index, value);
}

static bool vendor_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    return virt->msr_write(v, index, value);
}

static bool tsc_read(struct vcpu *, uint32_t index, uint64_t *value)
{
    *value = msr_read(index);
    return true;
}

/*
 * Memory types stay what the nested tables and the guest's PAT make them: all
 * RAM is write-back, devices are uncached. The registers remember and no more.
 */
static bool mtrr_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    *value = v->mtrr[index - MSR_MTRR_FIRST];
    return true;
}

static bool mtrr_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    bool has_type =
        index == MSR_MTRR_DEFAULT || (index <= MSR_MTRR_VARIABLE_LAST && index % 2 == 0);

    if (has_type && ((value & 0xff) > 6 || !(MTRR_TYPES >> (value & 0xff) & 1)))
        return false;
    v->mtrr[index - MSR_MTRR_FIRST] = value;
    return true;
}

/* 128 stubs of 32 bytes: mov $number, %eax; vmmcall; ret. */
static bool hypercall_page_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    uint8_t stub[32] = {0xb8, 0, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3};
    gpa_t page = {value & ~(uint64_t)PAGE_MASK};

    (void)index;
    if (value & PAGE_MASK) /* one page only: index 0 in the low bits */
        return false;
    memset(stub + 9, 0xcc, sizeof(stub) - 9);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(stub); i++) {
        stub[1] = (uint8_t)i;
        if (copy_to_gpa(v->domain, (gpa_t){page.v + i * sizeof(stub)}, stub, sizeof(stub)) != 0)
            return false;
    }
    return true;
}

static const struct msr_row msr_table[] = {
    {MSR_X2APIC, 0x8ff, lapic_msr_read, lapic_msr_write, 0},
    {MSR_EFER, MSR_EFER, vendor_read, vendor_write, 0},
    {MSR_APIC_BASE, MSR_APIC_BASE, lapic_msr_read, lapic_msr_write, 0},
    /* The guest's counter is the machine's: a write would not move it, and none is needed. */
    {MSR_TSC, MSR_TSC, tsc_read, NULL, 0},
    {MSR_PAT, MSR_PAT, vendor_read, vendor_write, 0},
    {0x8b, 0x8b, NULL, NULL, 0}, /* PATCH_LEVEL */
    {MSR_MTRR_CAP, MSR_MTRR_CAP, NULL, NULL, MTRR_CAP_VALUE},
    {0x1a0, 0x1a0, NULL, NULL, MISC_ENABLE_VALUE}, /* MISC_ENABLE */
    {0x1d9, 0x1d9, NULL, NULL, 0},                 /* DEBUGCTL */
    {MSR_MTRR_FIRST, MSR_MTRR_VARIABLE_LAST, mtrr_read, mtrr_write, 0},
    {0x250, 0x250, mtrr_read, mtrr_write, 0}, /* fixed ranges of 64, 16 and 4 KiB */
    {0x258, 0x259, mtrr_read, mtrr_write, 0},
    {0x268, 0x26f, mtrr_read, mtrr_write, 0},
    {MSR_MTRR_DEFAULT, MSR_MTRR_DEFAULT, mtrr_read, mtrr_write, 0},
    {VERSION_HYPERCALL_MSR, VERSION_HYPERCALL_MSR, NULL, hypercall_page_write, 0},
    {0xc0010010, 0xc0010010, NULL, NULL, 0},        /* SYSCFG */
    {0xc0010015, 0xc0010015, NULL, NULL, 1u << 24}, /* HWCR: TSC counts at P0's rate */
    {0xc001001a, 0xc001001f, NULL, NULL, 0},        /* TOP_MEM, IORRs, TOP_MEM2, NB_CFG */
    {0xc0010055, 0xc0010055, NULL, NULL, 0},        /* INT_PENDING */
    {0xc0010058, 0xc0010058, NULL, NULL, 0},        /* MMIO_CONF_BASE */
    {0xc0010140, 0xc0010141, NULL, NULL, 0},        /* OSVW */
    {0xc001100c, 0xc001100c, NULL, NULL, 0},        /* NODE_ID */
    {0xc0011020, 0xc0011023, NULL, NULL, 0},        /* LS_CFG to BU_CFG */
    {0xc0011029, 0xc0011029, NULL, NULL, DE_CFG_LFENCE_SERIALIZES}, /* DE_CFG */
};

static const struct msr_row *find(uint32_t index)
{
    for (unsigned i = 0; i < sizeof(msr_table) / sizeof(msr_table[0]); i++)
        if (index >= msr_table[i].first && index <= msr_table[i].last)
            return &msr_table[i];
    return NULL;
}

void msr_reset(struct vcpu *v)
{
    memset(v->mtrr, 0, sizeof(v->mtrr));
    v->mtrr[MSR_MTRR_DEFAULT - MSR_MTRR_FIRST] = MTRR_DEFAULT_RESET;
}

bool msr_emulate_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
    const struct msr_row *row = find(index);

    if (!row)
        return false;
    *value = row->constant;
    return row->read ? row->read(v, index, value) : true;
}

bool msr_emulate_write(struct vcpu *v, uint32_t index, uint64_t value)
{
    const struct msr_row *row = find(index);

    if (!row)
        return false;
    return row->write ? row->write(v, index, value) : true;
}
