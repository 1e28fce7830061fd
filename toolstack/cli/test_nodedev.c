/* Verbs about PCI functions: names, the tree, groups, owners, and XML that libvirt's schema takes.
 */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include <libxml/relaxng.h>

#include <build/functions.h>
#include <check.h>

#define SCHEMA "/usr/share/libvirt/schemas/nodedev.rng"

static char file[] = "/x.xml";
static char name_block[] = "block";
static char kernel[] = "/vmlinux";
static struct config_hostdev nvme = {.slot = 4};
static struct domain_config block = {.file = file,
                                     .name = name_block,
                                     .kernel = kernel,
                                     .memory_bytes = 8u << 20,
                                     .vcpus = 1,
                                     .hostdevs = &nvme,
                                     .hostdev_count = 1};

static const char half[] = "<domain type='xen'><name>half</name><memory>32768</memory>\n"
                           "<os><type>xenpvh</type><kernel>/vmlinux</kernel></os>\n"
                           "<devices><hostdev type='pci'><source>\n"
                           "<address bus='2' slot='0' function='0'/>\n"
                           "</source></hostdev></devices></domain>\n";

#define OLD BULKHEAD_PCI_CONVENTIONAL

static const struct bulkhead_pci_info functions[] = {
    {.sbdf = 0x00,
     .class_revision = 0x06000000,
     .port = OLD,
     .flags = BULKHEAD_PCI_RESERVED,
     .owner = DOMID_INVALID},
    {.sbdf = 0x08,
     .header = 1,
     .port = 4,
     .secondary = 1,
     .subordinate = 2,
     .class_revision = 0x06040000,
     .flags = BULKHEAD_PCI_RESERVED | BULKHEAD_PCI_ACS,
     .owner = DOMID_INVALID},
    {.sbdf = 0x20,
     .vendor = 0x1b36,
     .device = 0x10,
     .class_revision = 0x01080202,
     .owner = 1,
     .flags = BULKHEAD_PCI_CONTAINED},
    {.sbdf = 0x100,
     .header = 1,
     .port = 7,
     .secondary = 2,
     .subordinate = 2,
     .class_revision = 0x06040000,
     .flags = BULKHEAD_PCI_RESERVED,
     .owner = DOMID_INVALID},
    {.sbdf = 0x200,
     .vendor = 0x8086,
     .device = 0x10d3,
     .port = OLD,
     .class_revision = 0x02000000,
     .owner = DOMID_INVALID},
    {.sbdf = 0x201, .port = OLD, .class_revision = 0x02000000, .owner = DOMID_INVALID},
};

static const char tree[] = "computer\n"
                           "  |\n"
                           "  +- pci_0000_00_00_0 (group 0)\n"
                           "  +- pci_0000_00_01_0 (group 1)\n"
                           "  |   |\n"
                           "  |   +- pci_0000_01_00_0 (group 3)\n"
                           "  |       |\n"
                           "  |       +- pci_0000_02_00_0 (group 3)\n"
                           "  |       +- pci_0000_02_00_1 (group 3)\n"
                           "  +- pci_0000_00_04_0 (group 2, of block)\n"
                           "\n";

static void begin(void)
{
    fake_reset();
    fake_file("/vmlinux", NULL, 0);
    fake_functions = functions;
    fake_function_count = sizeof(functions) / sizeof(functions[0]);
    s = (struct supervise){
        .store = &fake_store, .root = &fake_root, .store_domid = 14, .console_domid = 15};
    cli = (struct cli){.supervise = &s, .root = &fake_root, .iommu_present = true};
    supervise_start(&s, supervise_add(&s, &block));
    supervise_step(&s);
}

static void end(void)
{
    supervise_fini(&s);
    fake_reset();
    fake_fini();
}

TEST(lists)
{
    begin();
    EXPECT(says("nodedev-list", "pci_0000_00_00_0\npci_0000_00_01_0\npci_0000_00_04_0\n"));
    EXPECT(says("nodedev-list --tree", tree) && strcmp(fake_said, tree) == 0);
    EXPECT(says("nodedev-list --json", "\"parent\": \"pci_0000_00_01_0\""));
    EXPECT(strstr(fake_said, "\"owner\": \"block\"") && strstr(fake_said, "\"group\": 2"));
    cli.iommu_present = false;
    EXPECT(says("nodedev-list --tree", "+- pci_0000_00_04_0 (of block)\n"));
    EXPECT(!strstr(fake_said, "group"));
    EXPECT(errs("nodedev-list --some", "--some: write: nodedev-list [--tree] [--json]"));
    EXPECT(errs("nodedev-list --tree --json", "either --tree or --json: write: nodedev-list"));
    fake_fail_at(2);
    EXPECT(errs("nodedev-list", "the core does not tell of its functions"));
    end();
}

/* What libvirt knows of a device is what its schema says; ours stands apart from it. */
static bool passes_schema(const char *text)
{
    const char *metadata = strstr(text, "  <metadata>");
    const char *rest = strstr(text, "</device>");
    char plain[4096];
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(SCHEMA);
    xmlRelaxNGPtr schema = xmlRelaxNGParse(parser);
    xmlRelaxNGValidCtxtPtr valid = xmlRelaxNGNewValidCtxt(schema);
    bool passes = metadata && rest && schema;

    if (passes) {
        (void)snprintf(plain, sizeof(plain), "%.*s%s", (int)(metadata - text), text, rest);
        xmlDocPtr doc = xmlReadMemory(plain, (int)strlen(plain), "x", NULL, 0);

        passes = doc && xmlRelaxNGValidateDoc(valid, doc) == 0;
        xmlFreeDoc(doc);
    }
    xmlRelaxNGFreeValidCtxt(valid);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    return passes;
}

TEST(descriptions)
{
    begin();
    EXPECT(says("nodedev-dumpxml pci_0000_00_04_0",
                "<device>\n  <name>pci_0000_00_04_0</name>\n  <parent>computer</parent>\n"
                "  <capability type='pci'>\n    <class>0x010802</class>\n"));
    EXPECT(strstr(fake_said, "<slot>4</slot>") && strstr(fake_said, "<vendor id='0x1b36'/>"));
    EXPECT(strstr(fake_said, "<iommuGroup number='2'>\n      <address domain='0x0000' bus='0x00' "
                             "slot='0x04' function='0x0'/>\n    </iommuGroup>\n"));
    EXPECT(strstr(fake_said, "contained='yes' reserved='no' owner='block'/>"));
    EXPECT(passes_schema(fake_said));
    EXPECT(says("nodedev-dumpxml pci_0000_01_00_0", "<capability type='pci-bridge'/>"));
    EXPECT(strstr(fake_said, "<parent>pci_0000_00_01_0</parent>") && passes_schema(fake_said));
    cli.iommu_present = false;
    EXPECT(says("nodedev-dumpxml pci_0000_02_00_1", "reserved='no'/>"));
    EXPECT(!strstr(fake_said, "iommuGroup") && passes_schema(fake_said));
    EXPECT(errs("nodedev-dumpxml pci_0000_09_00_0",
                "there is no device pci_0000_09_00_0: `nodedev-list` shows them"));
    EXPECT(errs("nodedev-dumpxml", "too few words"));
    end();
}

/* Nothing of such a domain is made. */
TEST(half_a_group_is_not_started)
{
    begin();
    fake_file("/half.xml", half, sizeof(half) - 1);
    EXPECT(functions_read(&cli.functions) == 0);
    EXPECT(errs("create /half.xml",
                "/half.xml:4: PCI function 0000:02:00.0 is one of a group that no IOMMU keeps "
                "apart (0000:02:00.0, 0000:02:00.1): give all of them to one domain"));
    EXPECT(fake_domain_count() == 1 && s.count == 1);
    functions_free(&cli.functions);
    end();
}
