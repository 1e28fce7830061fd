/* What CPUID tells a guest. */
#include "vcpu/cpuid.h"

#include <abi/version.h>

#include <arch/clock.h>

#include "domain/domain.h"
#include "iommu/iommu.h"
#include "vcpu/vcpu.h"

#define LEAF_EXTENDED 0x80000000u
#define LEAF_XSTATE   0xdu

/* 1.ECX */
#define X2APIC       (1u << 21)
#define XSAVE        (1u << 26)
#define OSXSAVE      (1u << 27)
#define HYPERVISOR   (1u << 31)
/* 1.EDX */
#define APIC         (1u << 9)
#define MTRR_AND_PAT (1u << 12 | 1u << 16)
#define HTT          (1u << 28)
/* 7.ECX */
#define PKU          (1u << 3)
#define OSPKE        (1u << 4)

#define CR4_OSXSAVE (1ull << 18)
#define CR4_PKE     (1ull << 22)

/* Vector state that guests get: x87, SSE, AVX, AVX-512, PKRU. */
#define XCR0_OFFERED      0x2e7u
#define XSTATE_COMPONENTS 63u
#define XSTATE_LEGACY     576u /* FXSAVE image and header */

#define ALL UINT32_MAX

/*
 * Leaves and the bits of the host's that a guest sees. What is not in the table
 * is zero. Chosen by what the core switches or need not switch: a feature bit
 * whose registers are neither saved nor harmless is not here.
 */
struct cpuid_row {
    uint32_t leaf;
    uint32_t subleaf_last; /* answers for subleaves 0 to here */
    uint32_t eax, ebx, ecx, edx;
    void (*adjust)(struct vcpu *v, uint32_t subleaf, struct cpuid *out);
};

/* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND */
#define FEATURES_1_ECX  0x76da3203u
/* FPU VME DE PSE TSC MSR PAE CX8 MTRR PGE CMOV PAT PSE36 MMX FXSR: also in 0x80000001 */
#define FEATURES_COMMON 0x0183b17fu
/* APIC SEP CLFLUSH SSE SSE2 SS */
#define FEATURES_1_EDX  (FEATURES_COMMON | 0x0e080a00u)
/* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID RDSEED ADX SMAP CLFLUSHOPT CLWB SHA AVX512* */
#define FEATURES_7_EBX  0xf1bf27e9u
/* AVX512_VBMI UMIP PKU VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ RDPID */
#define FEATURES_7_ECX  0x00405f4eu
/* AVX512_4VNNIW AVX512_4FMAPS FSRM VP2INTERSECT SERIALIZE AVX512_FP16 */
#define FEATURES_7_EDX  0x0080411cu
/* AVX_VNNI AVX512_BF16 FZRM FSRS FSRC */
#define FEATURES_71_EAX 0x00001c30u
/* LAHF AltMovCr8 ABM SSE4A misaligned SSE, prefetch, XOP FMA4 TBM */
#define FEATURES_81_ECX 0x002109f1u
/* the common ones, APIC SYSCALL NX MMXEXT FFXSR 1-GiB pages RDTSCP long mode 3DNOW */
#define FEATURES_81_EDX (FEATURES_COMMON | 0xee500a00u)

static void adjust_features(struct vcpu *v, uint32_t, struct cpuid *out)
{
    struct vcpu_mode mode;
    unsigned vcpus = v->domain->vcpu_count;

    vcpu_mode(v, &mode);
    out->ebx |= v->lapic.id << 24 | (vcpus > 1 ? vcpus << 16 : 1u << 16);
    out->ecx |= HYPERVISOR | X2APIC; /* ours: the host's APIC does not matter */
    if ((out->ecx & XSAVE) && (mode.cr4 & CR4_OSXSAVE))
        out->ecx |= OSXSAVE;
    out->edx |= APIC | MTRR_AND_PAT | (vcpus > 1 ? HTT : 0);
}

static void adjust_structured(struct vcpu *v, uint32_t subleaf, struct cpuid *out)
{
    struct vcpu_mode mode;

    if (subleaf != 0) {
        /* Subleaf 1: vector instructions without state of their own. */
        out->eax &= FEATURES_71_EAX;
        out->ebx = out->ecx = out->edx = 0;
        return;
    }
    out->eax = out->eax > 1 ? 1 : out->eax;
    vcpu_mode(v, &mode);
    if ((out->ecx & PKU) && (mode.cr4 & CR4_PKE))
        out->ecx |= OSPKE;
}

/* One thread per core, all cores in one package. */
static void adjust_topology(struct vcpu *v, uint32_t subleaf, struct cpuid *out)
{
    unsigned bits = 0;

    while (1u << bits < v->domain->vcpu_count)
        bits++;
    *out = (struct cpuid){.ecx = subleaf & 0xff, .edx = v->lapic.id};
    if (subleaf == 0) {
        out->ebx = 1;
        out->ecx |= 1u << 8;
    } else if (subleaf == 1) {
        out->eax = bits;
        out->ebx = v->domain->vcpu_count;
        out->ecx |= 2u << 8;
    }
}

static uint32_t xstate_size(uint32_t features)
{
    uint32_t size = XSTATE_LEGACY;

    for (unsigned i = 2; i < XSTATE_COMPONENTS && features >> i; i++) {
        if (i >= 32 || !(features >> i & 1))
            continue;
        struct cpuid c = cpu_cpuid(LEAF_XSTATE, i);
        if (c.ebx + c.eax > size)
            size = c.ebx + c.eax;
    }
    return size;
}

static void adjust_xstate(struct vcpu *, uint32_t subleaf, struct cpuid *out)
{
    switch (subleaf) {
    case 0:
        out->eax &= XCR0_OFFERED;
        out->ecx = xstate_size(out->eax);
        out->edx = 0;
        return;
    case 1:
        out->eax &= 7; /* XSAVEOPT, XSAVEC, XGETBV 1; no XSAVES: IA32_XSS stays 0 */
        out->ecx = out->edx = 0;
        return;
    default:
        if (subleaf >= 32 || !(XCR0_OFFERED >> subleaf & 1))
            *out = (struct cpuid){0};
        return;
    }
}

static void adjust_widths(struct vcpu *v, uint32_t, struct cpuid *out)
{
    uint64_t frames = p2m_gfn_limit();
    uint32_t bits = 12;
    uint32_t host = out->eax & 0xff;

    while (frames >>= 1)
        bits++;
    out->eax = (out->eax & 0xff00) | (bits < host ? bits : host);
    out->ecx = v->domain->vcpu_count - 1;
}

static const struct cpuid_row cpuid_table[] = {
    {0x1, 0, ALL, 0x0000ff00, FEATURES_1_ECX, FEATURES_1_EDX, adjust_features},
    {0x2, 0, ALL, ALL, ALL, ALL, NULL}, /* Intel's cache descriptors */
    {0x4, 8, 0x3ff, ALL, ALL, ALL, NULL},
    {0x6, 0, 1u << 2, 0, 0, 0, NULL}, /* the local APIC's timer always runs */
    {0x7, 1, ALL, FEATURES_7_EBX, FEATURES_7_ECX, FEATURES_7_EDX, adjust_structured},
    {0xb, 2, 0, 0, 0, 0, adjust_topology},
    {LEAF_XSTATE, 31, ALL, ALL, ALL, ALL, adjust_xstate},
    {0x1f, 2, 0, 0, 0, 0, adjust_topology},
    {0x80000001, 0, ALL, ALL, FEATURES_81_ECX, FEATURES_81_EDX, NULL},
    {0x80000002, 0, ALL, ALL, ALL, ALL, NULL}, /* brand */
    {0x80000003, 0, ALL, ALL, ALL, ALL, NULL},
    {0x80000004, 0, ALL, ALL, ALL, ALL, NULL},
    {0x80000005, 0, ALL, ALL, ALL, ALL, NULL}, /* caches and translation buffers */
    {0x80000006, 0, ALL, ALL, ALL, ALL, NULL},
    {0x80000007, 0, 0, 0, 0, 1u << 8, NULL},                         /* invariant TSC */
    {0x80000008, 0, 0xffff, 1u << 0 | 1u << 2, 0, 0, adjust_widths}, /* CLZERO, XSAVEERPTR */
    {0x80000019, 0, ALL, ALL, 0, 0, NULL},
    {0x8000001a, 0, ALL, 0, 0, 0, NULL},
    {0x80000021, 0, 1u << 2 | 1u << 6, 0, 0, 0, NULL}, /* LFENCE serializes, null selectors */
};

/* The highest leaf of a range that we answer and the host has. */
static struct cpuid answer_range(uint32_t leaf, uint32_t least, uint32_t most)
{
    struct cpuid out = cpu_cpuid(leaf, 0);

    out.eax = out.eax > most ? most : out.eax < least ? least : out.eax;
    return out;
}

static struct cpuid answer_hypervisor(struct vcpu *v, uint32_t leaf, uint32_t subleaf)
{
    const struct clock_scale *scale = clock_scale();
    uint32_t khz = (uint32_t)(clock_tsc_hz() / 1000);

    switch (leaf) {
    case XEN_CPUID_LEAF(0):
        return (struct cpuid){XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES), XEN_CPUID_SIGNATURE_EBX,
                              XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
    case XEN_CPUID_LEAF(1): return (struct cpuid){.eax = VERSION_MAJOR << 16 | VERSION_MINOR};
    case XEN_CPUID_LEAF(2): return (struct cpuid){.eax = 1, .ebx = VERSION_HYPERCALL_MSR};
    case XEN_CPUID_LEAF(3):
        if (subleaf == 0) /* the host's counter, reliable, never emulated */
            return (struct cpuid){.eax = 2, .ebx = 2, .ecx = khz};
        if (subleaf == 1)
            return (struct cpuid){.ecx = scale->mul, .edx = (uint32_t)(int32_t)scale->shift};
        return (struct cpuid){.eax = subleaf == 2 ? khz : 0};
    case XEN_CPUID_LEAF(4):
        /*
         * Without upcall vectors of the APIC: they would cost an exit for the end of each
         * interrupt, which the callback vector does not.
         */
        return (struct cpuid){
            .eax = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT |
                   XEN_HVM_CPUID_X2APIC_VIRT | (iommu_is_on() ? XEN_HVM_CPUID_IOMMU_MAPPINGS : 0),
            .ebx = v->id,
            .ecx = v->domain->id,
        };
    default: return (struct cpuid){0};
    }
}

struct cpuid cpuid_guest(struct vcpu *v, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid out = {0};

    if (leaf >= XEN_CPUID_FIRST_LEAF && leaf <= XEN_CPUID_LEAF(0xff))
        return answer_hypervisor(v, leaf, subleaf);
    if (leaf == 0)
        return answer_range(0, 0xd, 0x1f);
    if (leaf == LEAF_EXTENDED)
        return answer_range(LEAF_EXTENDED, 0x80000008, 0x80000021);
    for (unsigned i = 0; i < sizeof(cpuid_table) / sizeof(cpuid_table[0]); i++) {
        const struct cpuid_row *row = &cpuid_table[i];

        if (row->leaf != leaf)
            continue;
        if (subleaf > row->subleaf_last && row->subleaf_last > 0)
            break;
        out = cpu_cpuid(leaf, subleaf);
        out.eax &= row->eax;
        out.ebx &= row->ebx;
        out.ecx &= row->ecx;
        out.edx &= row->edx;
        if (row->adjust)
            row->adjust(v, subleaf, &out);
        break;
    }
    return out;
}
