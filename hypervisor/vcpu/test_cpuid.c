/* CPUID of a guest: what is forced, what is hidden, and that nothing else slips through. */
#include "vcpu/cpuid.h"

#include <string.h>

#include <abi/xen.h>

#include <arch/clock.h>

#include "check.h"
#include "domain/domain.h"
#include "iommu/iommu.h"
#include "vcpu/vcpu.h"

/* ---- a host that has every bit set, and the rest of the core ---- */

static uint32_t host_bits;
static struct vcpu_mode mode;

struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    if (leaf == 0)
        return (struct cpuid){0x20, 0x68747541, 0x444d4163, 0x69746e65};
    if (leaf == 0x80000000)
        return (struct cpuid){.eax = 0x80000028};
    if (leaf == 0xd)
        return (struct cpuid){host_bits & 0x20ff, 64, 576, host_bits};
    if (leaf == 0x80000008)
        return (struct cpuid){0x3030, host_bits, host_bits, host_bits};
    return (struct cpuid){host_bits, host_bits, host_bits, host_bits};
}

const struct clock_scale *clock_scale(void)
{
    static const struct clock_scale scale = {0, 0x80000000u, -1};

    return &scale;
}

uint64_t clock_tsc_hz(void)
{
    return 2000000000u;
}

static bool contained;

bool iommu_is_on(void)
{
    return contained;
}

uint64_t p2m_gfn_limit(void)
{
    return 1ull << 28;
}

void vcpu_mode(const struct vcpu *vcpu, struct vcpu_mode *m)
{
    (void)vcpu;
    *m = mode;
}

static struct domain d;
static struct vcpu v;

static void setup(uint32_t bits)
{
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    memset(&mode, 0, sizeof(mode));
    host_bits = bits;
    d.id = 7;
    d.vcpu_count = 1;
    v.domain = &d;
}

TEST(the_interface_is_xens)
{
    setup(UINT32_MAX);
    struct cpuid c = cpuid_guest(&v, 0x40000000, 0);

    EXPECT(memcmp(&c.ebx, "XenVMMXenVMM", 12) == 0 && c.eax >= 0x40000002);
    EXPECT(cpuid_guest(&v, 0x40000001, 0).eax == (4u << 16 | 17));
    EXPECT(cpuid_guest(&v, 0x40000002, 0).ebx == 0x40000000);
    c = cpuid_guest(&v, 0x40000004, 0);
    EXPECT(c.ebx == 0 && c.ecx == 7 && (c.eax & 0x1a) == 0x1a && (c.eax & 0x61) == 0);
    c = cpuid_guest(&v, 0x40000100, 0);
    EXPECT(c.eax == 0 && c.ebx == 0);
}

/* Whether a device's address is the domain's own. */
TEST(addresses_for_devices_are_told)
{
    setup(0);
    EXPECT(!(cpuid_guest(&v, 0x40000004, 0).eax & 4));
    contained = true;
    EXPECT(cpuid_guest(&v, 0x40000004, 0).eax & 4);
    contained = false;
}

TEST(what_is_not_virtualized_is_hidden)
{
    setup(UINT32_MAX);
    struct cpuid c = cpuid_guest(&v, 1, 0);

    EXPECT(!(c.ecx & (1u << 3 | 1u << 5 | 1u << 24)));             /* MONITOR, VMX, TSC deadline */
    EXPECT(!(c.edx & (1u << 7 | 1u << 14 | 1u << 21 | 1u << 22))); /* MCE, MCA, DS, ACPI */
    EXPECT(c.ecx & 1u << 31 && c.ecx & 1u << 21 && c.edx & 1u << 9);
    EXPECT(c.edx & 1u << 12 && c.edx & 1u << 16); /* MTRR and PAT */
    c = cpuid_guest(&v, 0x80000001, 0);
    EXPECT(!(c.ecx & (1u << 2 | 1u << 9 | 1u << 10 | 1u << 12 | 1u << 29)));
    c = cpuid_guest(&v, 7, 0);
    EXPECT(c.eax == 1 && !(c.ebx & (1u << 1 | 1u << 2)) && !(c.ecx & 1u << 16));
    EXPECT(!(c.edx & (1u << 24 | 1u << 25 | 1u << 26 | 1u << 27))); /* AMX, SPEC_CTRL */
    EXPECT(cpuid_guest(&v, 0x8000000a, 0).edx == 0);
    EXPECT(cpuid_guest(&v, 5, 0).ecx == 0 && cpuid_guest(&v, 0xa, 0).eax == 0);
}

TEST(a_poor_host_gives_no_more_than_it_has)
{
    setup(0);
    struct cpuid c = cpuid_guest(&v, 1, 0);

    EXPECT(c.ecx == (1u << 31 | 1u << 21));
    EXPECT(c.edx == (1u << 9 | 1u << 12 | 1u << 16));
    EXPECT(cpuid_guest(&v, 7, 0).ebx == 0);
}

TEST(bits_that_follow_the_guests_state)
{
    setup(UINT32_MAX);
    EXPECT(!(cpuid_guest(&v, 1, 0).ecx & 1u << 27) && !(cpuid_guest(&v, 7, 0).ecx & 1u << 4));
    mode.cr4 = 1u << 18 | 1u << 22;
    EXPECT(cpuid_guest(&v, 1, 0).ecx & 1u << 27 && cpuid_guest(&v, 7, 0).ecx & 1u << 4);
}

TEST(topology_and_widths)
{
    setup(UINT32_MAX);
    v.lapic.id = 3;
    d.vcpu_count = 1;
    EXPECT(cpuid_guest(&v, 1, 0).ebx >> 24 == 3);
    EXPECT(cpuid_guest(&v, 0xb, 0).edx == 3 && cpuid_guest(&v, 0x1f, 1).edx == 3);
    EXPECT((cpuid_guest(&v, 0xb, 0).ecx >> 8 & 0xff) == 1);
    EXPECT((cpuid_guest(&v, 0xb, 1).ecx >> 8 & 0xff) == 2);
    EXPECT(cpuid_guest(&v, 0xb, 2).ecx == 2);
    EXPECT(cpuid_guest(&v, 0x80000008, 0).eax == 0x3028); /* 40 bits: what the nested tables take */
    EXPECT(cpuid_guest(&v, 0x80000008, 0).ecx == 0);
}

TEST(vector_state_is_what_we_switch)
{
    setup(UINT32_MAX);
    struct cpuid c = cpuid_guest(&v, 0xd, 0);

    EXPECT((c.eax & ~0x2e7u) == 0 && c.edx == 0);
    c = cpuid_guest(&v, 0xd, 1);
    EXPECT((c.eax & ~7u) == 0 && c.ecx == 0 && c.edx == 0);
    EXPECT(cpuid_guest(&v, 0xd, 17).eax == 0 && cpuid_guest(&v, 0xd, 63).ebx == 0);
}

TEST(leaves_beyond_the_tables_are_zero)
{
    setup(UINT32_MAX);
    EXPECT(cpuid_guest(&v, 0, 0).eax == 0x1f && cpuid_guest(&v, 0x80000000, 0).eax == 0x80000021);
    for (uint32_t leaf = 0x20; leaf < 0x40; leaf++)
        EXPECT(cpuid_guest(&v, leaf, 0).eax == 0);
    EXPECT(cpuid_guest(&v, 0x80000028, 0).eax == 0 && cpuid_guest(&v, 0xdeadbeef, 0).ebx == 0);
}
