#include "boot/handoff.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

#include <abi/start.h>
#include <abi/xen.h>

#define MULTIBOOT 0x36d76289u

static _Alignas(8) uint8_t info[1024];
static uint32_t used;

static void tag(uint32_t type, const void *body, uint32_t len)
{
    const uint32_t head[] = {type, 8 + len};

    memcpy(info + used, head, 8);
    memcpy(info + used + 8, body, len);
    used += (8 + len + 7) & ~7u;
}

static void multiboot_start(void)
{
    memset(&handoff, 0, sizeof(handoff));
    memset(info, 0, sizeof(info));
    used = 8;
}

static int multiboot_end(void)
{
    tag(0, "", 0);
    memcpy(info, &used, 4);
    handoff.has_rsdp = true; /* keeps it from searching low memory */
    return handoff_collect(MULTIBOOT, (uintptr_t)info);
}

TEST(multiboot)
{
    const struct {
        uint32_t size, version;
        struct {
            uint64_t start, len;
            uint32_t type, zero;
        } entry[2];
    } map = {24, 0, {{0x100000, 0x4000000, 1, 0}, {0xf0000, 0x10000, 2, 0}}};
    const struct {
        uint32_t start, end;
        char text[8];
    } module = {0x5000, 0x6123, "bundle"};

    multiboot_start();
    tag(1, "headless -- x", 14);
    tag(77, "unknown", 7);
    tag(6, &map, sizeof(map));
    tag(3, &module, sizeof(module));
    tag(3, &module, sizeof(module));
    EXPECT(multiboot_end() == 0);
    EXPECT(strcmp(handoff.cmdline, "headless -- x") == 0);
    EXPECT(handoff.module.start == 0x5000 && handoff.module.end == 0x6123);
    EXPECT(handoff.module_count == 2 && handoff.range_count == 3);
    EXPECT(handoff.is_ram[0] && handoff.range[0].end == 0x4100000 && !handoff.is_ram[1]);
    EXPECT(!handoff.is_ram[2]); /* the second module is nobody's RAM */
}

TEST(the_newer_root_pointer_wins)
{
    char old[20] = "RSD PTR old", new[36] = "RSD PTR new";

    multiboot_start();
    tag(15, new, sizeof(new));
    tag(14, old, sizeof(old));
    memcpy(info, &used, 4);
    tag(0, "", 0);
    EXPECT(handoff_collect(MULTIBOOT, (uintptr_t)info) == 0);
    EXPECT(handoff.has_rsdp && memcmp(handoff.rsdp, "RSD PTR new", 11) == 0);
}

TEST(broken_tags_end_the_list)
{
    multiboot_start();
    tag(1, "x", 2);
    memset(info + used, 0, 8);
    info[used] = 1; /* of size 0 */
    used += 8;
    EXPECT(multiboot_end() == 0);
    EXPECT(strcmp(handoff.cmdline, "x") == 0);
}

TEST(pvh)
{
    static const struct hvm_memmap_table_entry map[] = {
        {.addr = 0, .size = 0x9fc00, .type = 1}, {.addr = UINT64_MAX - 9, .size = 100, .type = 2}};
    static char cmdline[4096], rsdp[36] = "RSD PTR ";
    struct hvm_modlist_entry module = {.paddr = 0x1000, .size = 0x2345};
    struct hvm_start_info start = {.magic = XEN_HVM_START_MAGIC_VALUE,
                                   .version = 1,
                                   .nr_modules = 1,
                                   .modlist_paddr = (uintptr_t)&module,
                                   .cmdline_paddr = (uintptr_t)cmdline,
                                   .rsdp_paddr = (uintptr_t)rsdp,
                                   .memmap_paddr = (uintptr_t)map,
                                   .memmap_entries = 2};

    memset(&handoff, 0, sizeof(handoff));
    memset(cmdline, 'x', sizeof(cmdline) - 1);
    EXPECT(handoff_collect(XEN_HVM_START_MAGIC_VALUE, (uintptr_t)&start) == 0);
    EXPECT(strlen(handoff.cmdline) == sizeof(handoff.cmdline) - 1);
    EXPECT(handoff.module.end == 0x3345 && handoff.has_rsdp);
    EXPECT(handoff.range_count == 2 && handoff.range[1].end == UINT64_MAX);
}

TEST(another_loader)
{
    EXPECT(handoff_collect(0x2badb002, 0) == -XEN_EINVAL);
}
