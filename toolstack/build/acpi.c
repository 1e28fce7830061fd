/* Writes ACPI tables: RSDP, XSDT, FADT, FACS, MADT, DSDT and, with PCI functions, MCFG. */
#include "acpi.h"

#include <errno.h>
#include <string.h>

#include <abi/layout.h>

/* A word of the tables at a place of its own: they are packed and little-endian. */
#define PACKED __attribute__((packed))

struct acpi_header {
    char signature[4];
    uint32_t len;
    uint8_t revision;
    uint8_t checksum;
    char oem[6];
    char oem_table[8];
    uint32_t oem_revision;
    char creator[4];
    uint32_t creator_revision;
} PACKED;

struct acpi_rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t len;
    uint64_t xsdt;
    uint8_t checksum_all;
    uint8_t reserved[3];
} PACKED;

struct acpi_xsdt {
    struct acpi_header header;
    uint64_t tables[3];
} PACKED;

struct acpi_facs {
    char signature[4];
    uint32_t len;
    uint32_t hardware_signature;
    uint32_t waking_vector;
    uint32_t global_lock;
    uint32_t flags;
    uint64_t x_waking_vector;
    uint8_t version;
    uint8_t reserved[31];
} PACKED;

struct acpi_fadt {
    struct acpi_header header;
    uint32_t facs;
    uint32_t dsdt;
    uint8_t reserved0;
    uint8_t profile;
    uint16_t sci;
    uint32_t smi_command;
    uint8_t smi_values[4];
    uint32_t pm1a_event;
    uint32_t pm1b_event;
    uint32_t pm1a_control;
    uint32_t pm1b_control;
    uint32_t pm2_control;
    uint32_t pm_timer;
    uint32_t gpe0;
    uint32_t gpe1;
    uint8_t pm1_event_len;
    uint8_t pm1_control_len;
    uint8_t other_lens[6];
    uint16_t c2_latency;
    uint16_t c3_latency;
    uint8_t cache_and_duty[6];
    uint8_t rtc_places[3];
    uint16_t boot_flags;
    uint8_t reserved1;
    uint32_t flags;
    uint8_t reset[16];
    uint64_t x_facs;
    uint64_t x_dsdt;
    uint8_t x_registers[120];
} PACKED;

struct acpi_madt {
    struct acpi_header header;
    uint32_t lapic;
    uint32_t flags;
} PACKED;

struct acpi_madt_lapic {
    uint8_t type;
    uint8_t len;
    uint8_t processor;
    uint8_t apic;
    uint32_t flags;
} PACKED;

struct acpi_mcfg {
    struct acpi_header header;
    uint64_t reserved;
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus;
    uint8_t last_bus;
    uint32_t reserved1;
} PACKED;

_Static_assert(sizeof(struct acpi_header) == 36, "table header");
_Static_assert(sizeof(struct acpi_rsdp) == 36, "RSDP");
_Static_assert(sizeof(struct acpi_facs) == 64, "FACS");
_Static_assert(sizeof(struct acpi_fadt) == 268, "FADT revision 5");
_Static_assert(offsetof(struct acpi_fadt, boot_flags) == 109, "boot flags");
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "FADT flags");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "64-bit address of the DSDT");
_Static_assert(sizeof(struct acpi_madt) == 44, "MADT");
_Static_assert(sizeof(struct acpi_mcfg) == 60, "MCFG");

#define FADT_WBINVD          (1u << 0)
#define FADT_C1              (1u << 2)
#define FADT_NO_POWER_BUTTON (1u << 4)
#define FADT_NO_SLEEP_BUTTON (1u << 5)
#define FADT_NO_RTC_WAKE     (1u << 6)
#define FADT_BOOT_NO_VGA     (1u << 2)
#define FADT_BOOT_NO_ASPM    (1u << 4)
#define FADT_BOOT_NO_RTC     (1u << 5)
#define MADT_LAPIC_ENABLED   1u

/*
 * PM1 registers must be named, or ACPICA gives up; these ports lead nowhere,
 * read all ones and take every write, which is enough for it.
 */
#define PM1_EVENT_PORT   0xb000u
#define PM1_CONTROL_PORT 0xb004u

/*
 * The DSDT's AML for a domain with PCI functions: a host bridge with the memory
 * window for BARs, and the ECAM as a reserved motherboard resource, without
 * which Linux refuses the MCFG. No _PRT: functions signal by MSI alone.
 */
/* clang-format off */
static const uint8_t dsdt_pci[] = {
    /* Scope (_SB_) */
    0x10, 0x47, 0x09, '_', 'S', 'B', '_',
    /* Device (PCI0) */
    0x5b, 0x82, 0x41, 0x06, 'P', 'C', 'I', '0',
    /* Name (_HID, "PNP0A08"), Name (_CID, "PNP0A03") */
    0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x08,
    0x08, '_', 'C', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x03,
    /* Name (_SEG, Zero), Name (_BBN, Zero), Name (_UID, Zero) */
    0x08, '_', 'S', 'E', 'G', 0x00,
    0x08, '_', 'B', 'B', 'N', 0x00,
    0x08, '_', 'U', 'I', 'D', 0x00,
    /* Name (_CRS, Buffer (0x2c)) */
    0x08, '_', 'C', 'R', 'S', 0x11, 0x2f, 0x0a, 0x2c,
    /* Bus numbers 0 to 255 */
    0x88, 0x0d, 0x00, 0x02, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x00, 0x00, 0x00, 0x00, 0x01,
    /* Memory 0xc0000000 to 0xdfffffff */
    0x87, 0x17, 0x00, 0x00, 0x0c, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0,
    0xff, 0xff, 0xff, 0xdf, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20,
    /* End of resources */
    0x79, 0x00,
    /* Device (ECAM), Name (_HID, "PNP0C02"), Name (_UID, Zero) */
    0x5b, 0x82, 0x2c, 'E', 'C', 'A', 'M',
    0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0c, 0x02,
    0x08, '_', 'U', 'I', 'D', 0x00,
    /* Name (_CRS, Buffer (0x0e)): memory 0xe0000000, 256 MiB */
    0x08, '_', 'C', 'R', 'S', 0x11, 0x11, 0x0a, 0x0e,
    0x86, 0x09, 0x00, 0x01, 0x00, 0x00, 0x00, 0xe0, 0x00, 0x00, 0x00, 0x10,
    0x79, 0x00,
};
/* clang-format on */
_Static_assert(LAYOUT_BAR_BASE == 0xc0000000 && LAYOUT_BAR_END == 0xe0000000, "window in dsdt_pci");
_Static_assert(LAYOUT_ECAM_BASE == 0xe0000000 && LAYOUT_ECAM_END == 0xf0000000, "ECAM in dsdt_pci");

/* Where the next table goes. */
struct writer {
    uint8_t *bytes;
    uint64_t base;
    size_t used;
};

static uint8_t sum_to_zero(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    unsigned sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += at[i];
    return (uint8_t)(0u - sum);
}

/* Appends bytes at a multiple of 64 and says at which guest-physical address. */
static uint64_t put(struct writer *w, const void *bytes, size_t len)
{
    size_t at = (w->used + 63) & ~(size_t)63;

    memcpy(w->bytes + at, bytes, len);
    w->used = at + len;
    return w->base + at;
}

static struct acpi_header header_of(const char *signature, uint8_t revision, size_t len)
{
    struct acpi_header header = {.len = (uint32_t)len,
                                 .revision = revision,
                                 .oem = "BULKHD",
                                 .oem_table = "BULKHEAD",
                                 .oem_revision = 1,
                                 .creator = "BLKH",
                                 .creator_revision = 1};

    memcpy(header.signature, signature, sizeof(header.signature));
    return header;
}

static uint64_t put_dsdt(struct writer *w, int has_devices)
{
    struct {
        struct acpi_header header;
        uint8_t body[sizeof(dsdt_pci)];
    } PACKED dsdt;
    size_t len = sizeof(dsdt.header) + (has_devices ? sizeof(dsdt_pci) : 0);

    dsdt.header = header_of("DSDT", 2, len);
    memcpy(dsdt.body, dsdt_pci, sizeof(dsdt_pci));
    dsdt.header.checksum = sum_to_zero(&dsdt, len);
    return put(w, &dsdt, len);
}

static uint64_t put_fadt(struct writer *w, uint64_t dsdt)
{
    struct acpi_facs facs = {.signature = "FACS", .len = sizeof(facs), .version = 2};
    uint64_t facs_at = put(w, &facs, sizeof(facs));
    struct acpi_fadt fadt = {
        .header = header_of("FACP", 5, sizeof(fadt)),
        .facs = (uint32_t)facs_at,
        .dsdt = (uint32_t)dsdt,
        .sci = 9,
        .pm1a_event = PM1_EVENT_PORT,
        .pm1a_control = PM1_CONTROL_PORT,
        .pm1_event_len = 4,
        .pm1_control_len = 2,
        .c2_latency = 0xffff, /* no C2, no C3 */
        .c3_latency = 0xffff,
        .boot_flags = FADT_BOOT_NO_VGA | FADT_BOOT_NO_ASPM | FADT_BOOT_NO_RTC,
        .flags =
            FADT_WBINVD | FADT_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_WAKE,
        .x_dsdt = dsdt,
    };

    fadt.header.checksum = sum_to_zero(&fadt, sizeof(fadt));
    return put(w, &fadt, sizeof(fadt));
}

static uint64_t put_madt(struct writer *w, unsigned vcpus)
{
    struct {
        struct acpi_madt madt;
        struct acpi_madt_lapic lapics[ACPI_VCPU_MAX];
    } PACKED table;
    size_t len = sizeof(table.madt) + vcpus * sizeof(table.lapics[0]);

    /* Flag bit 0 (8259s present) stays clear: there are none. */
    table.madt = (struct acpi_madt){.header = header_of("APIC", 3, len),
                                    .lapic = (uint32_t)LAYOUT_LAPIC_BASE};
    for (unsigned i = 0; i < vcpus; i++)
        table.lapics[i] = (struct acpi_madt_lapic){.len = sizeof(table.lapics[0]),
                                                   .processor = (uint8_t)i,
                                                   .apic = (uint8_t)i,
                                                   .flags = MADT_LAPIC_ENABLED};
    table.madt.header.checksum = sum_to_zero(&table, len);
    return put(w, &table, len);
}

static uint64_t put_mcfg(struct writer *w)
{
    struct acpi_mcfg mcfg = {
        .header = header_of("MCFG", 1, sizeof(mcfg)), .base = LAYOUT_ECAM_BASE, .last_bus = 0xff};

    mcfg.header.checksum = sum_to_zero(&mcfg, sizeof(mcfg));
    return put(w, &mcfg, sizeof(mcfg));
}

int acpi_write(const struct acpi_request *request, uint64_t base, uint8_t bytes[ACPI_LEN_MAX])
{
    struct acpi_rsdp rsdp = {.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
                             .oem = "BULKHD",
                             .revision = 2,
                             .len = sizeof(rsdp)};
    struct writer w = {.bytes = bytes, .base = base, .used = sizeof(rsdp)};
    struct acpi_xsdt xsdt;
    size_t len = sizeof(xsdt.header) + (request->has_devices ? 3 : 2) * sizeof(uint64_t);

    if (request->vcpus < 1 || request->vcpus > ACPI_VCPU_MAX || base % 64 != 0)
        return -EINVAL;
    memset(bytes, 0, ACPI_LEN_MAX);
    xsdt.tables[0] = put_fadt(&w, put_dsdt(&w, request->has_devices));
    xsdt.tables[1] = put_madt(&w, request->vcpus);
    xsdt.tables[2] = request->has_devices ? put_mcfg(&w) : 0;
    xsdt.header = header_of("XSDT", 1, len);
    xsdt.header.checksum = sum_to_zero(&xsdt, len);
    rsdp.xsdt = put(&w, &xsdt, len);
    rsdp.checksum = sum_to_zero(&rsdp, 20);
    rsdp.checksum_all = sum_to_zero(&rsdp, sizeof(rsdp));
    memcpy(bytes, &rsdp, sizeof(rsdp));
    return (int)w.used;
}
