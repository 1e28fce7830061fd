/* The table of a domain's elements: one row each. What has no row here is refused. */
#include "elements.h"

/* Forms of values. The schemas in schema/ say the same; a test compares. */
#define NAME_FORM   "[A-Za-z0-9][A-Za-z0-9_.\\-]{0,62}"
#define PATH_FORM   "(/[!-.0-~]+)+"
#define PATH_HINT   "an absolute path of printable ASCII without spaces, as in /vmlinuz"
#define UNIT_FORM   "[bB]([yY][tT][eE][sS]?)?|[kKmMgGtTpPeE]([iI]?[bB])?"
#define UNIT_HINT   "unit='MiB', or b, KB, KiB, MB, GB, GiB ..."
#define SIZE_FORM   "[1-9][0-9]{0,17}"
#define SIZE_HINT   "a whole number above 0 without spaces, as in <memory unit='MiB'>128</memory>"
#define ACTION_FORM "destroy|restart|preserve"
#define ACTION_HINT "destroy, restart or preserve"
#define MAC_FORM    "[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}"
#define BRIDGE_FORM "[A-Za-z0-9][A-Za-z0-9_.\\-]{0,14}"
#define MTU_FORM                                                                                   \
    "6[89]|[7-9][0-9]|[1-9][0-9]{2,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|" \
    "6553[0-5]"
#define SPEED_FORM  "[1-9][0-9]{0,8}"
#define SPEED_HINT  "a number of KiB/s above 0, as in average='1000'"
#define TAG_FORM    "[1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-4]"
#define FILTER_FORM "no-mac-spoofing|no-ip-spoofing|no-arp-spoofing|clean-traffic"
#define BYTE_FORM   "0x[0-9a-fA-F]{1,2}|0{0,3}[0-7]|[89]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]"
#define FAULTS_FORM "[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]"
#define WATCH_FORM  "[1-9][0-9]{2,5}"
#define BUDGET_FORM "[1-9][0-9]?|100"
#define PER_FORM    "[1-9][0-9]{0,4}"
#define PAUSE_FORM  "0|[1-9][0-9]{0,4}"
#define RIGHT_FORM  "build|memory|hardware|console|prompt|schedule|power|inspect"

/* Attributes of both directions. */
#define SPEEDS                                                                                     \
    {                                                                                              \
        {"average", true, SPEED_FORM, NULL, interface_set_average, .write = SPEED_HINT},           \
            {"peak", false, SPEED_FORM, NULL, interface_set_peak, .write = SPEED_HINT},            \
        {                                                                                          \
            "burst", false, SPEED_FORM, NULL, interface_set_burst,                                 \
                .write = "a number of KiB above 0, as in burst='64'"                               \
        }                                                                                          \
    }

enum row {
    DOMAIN,
    NAME,
    UUID,
    TITLE,
    DESCRIPTION,
    METADATA,
    OURS,
    RIGHT,
    BRIDGE,
    DMA_FAULTS,
    WATCHDOG,
    RESTART,
    MEMORY,
    CURRENT_MEMORY,
    VCPU,
    OS,
    TYPE,
    KERNEL,
    INITRD,
    CMDLINE,
    CLOCK,
    ON_POWEROFF,
    ON_REBOOT,
    ON_CRASH,
    DEVICES,
    EMULATOR,
    DISK,
    DISK_DRIVER,
    DISK_SOURCE,
    DISK_TARGET,
    DISK_READONLY,
    DISK_BACKENDDOMAIN,
    INTERFACE,
    INTERFACE_SOURCE,
    INTERFACE_MAC,
    INTERFACE_BACKENDDOMAIN,
    INTERFACE_TARGET,
    INTERFACE_MTU,
    INTERFACE_PORT,
    BANDWIDTH,
    INBOUND,
    OUTBOUND,
    VLAN,
    TAG,
    FILTERREF,
    PARAMETER,
    HOSTDEV,
    HOSTDEV_SOURCE,
    HOSTDEV_ADDRESS,
    CONSOLE,
    CONSOLE_TARGET,
    MEMBALLOON,
    ROW_COUNT
};

static const struct walk_element rows[ROW_COUNT] = {
    [DOMAIN] = {DOMAIN, "domain", .write = "<domain type='xen'>", .meaning = "one domain",
                .attributes = {{"type", true, "xen", .write = "type='xen'"},
                               {"id", false, "[0-9]{1,9}",
                                .write = "nothing: a number is given at start"}}},
    [NAME] = {DOMAIN, "name", .count = WALK_REQUIRED, .write = "<name>debian</name>",
              .meaning = "how the domain is called, unlike any other", .has_text = true,
              .text = {NULL, true, NAME_FORM, "core|control|store|console", domain_set_name,
                       .write = "1 to 63 of A-Z a-z 0-9 _ . -, the first a letter or digit",
                       .why = "the host has one of its own: write another name"}},
    [UUID] = {DOMAIN, "uuid", .meaning = "identity; made from the name if absent", .has_text = true,
              .text = {NULL, true,
                       "[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", NULL,
                       domain_set_uuid,
                       .write = "32 hexadecimal digits, or remove it and one is made of the name"}},
    [TITLE] = {DOMAIN, "title", .meaning = "a short note, shown by dominfo", .has_text = true,
               .text = {NULL, true, "[^\\n]+", NULL, domain_set_title,
                        .write = "one line of text, or remove it"}},
    [DESCRIPTION] = {DOMAIN, "description", .meaning = "a long note, kept for dumpxml",
                     .has_text = true, .text = {.set = domain_set_description}},
    [METADATA] = {DOMAIN, "metadata", .meaning = "holds what libvirt has no element for"},
    [OURS] = {METADATA, "domain", ELEMENTS_URI, .meaning = "our own elements",
              .write = "<bulkhead:domain xmlns:bulkhead='urn:bulkhead:1'>"},
    [RIGHT] = {OURS, "right", ELEMENTS_URI, WALK_MANY, .meaning = "a privilege from the start",
               .attributes =
                   {{"name", true, RIGHT_FORM, .set = domain_set_right,
                     .write =
                         "build, memory, hardware, console, prompt, schedule, power or inspect"}}},
    [BRIDGE] = {OURS, "bridge", ELEMENTS_URI, WALK_MANY, .begin = bridge_begin,
                .meaning = "of a net domain: the bridge that a NIC belongs to",
                .attributes = {{"name", true, BRIDGE_FORM, NULL, bridge_set_name,
                                .write = "name='lan', 1 to 15 of A-Z a-z 0-9 _ . -"},
                               {"nic", true, "[0-9]|[12][0-9]|3[01]", NULL, bridge_set_nic,
                                .write = "nic='0' for the first <hostdev>, nic='1' ..."}}},

    [DMA_FAULTS] = {OURS, "dma-faults", ELEMENTS_URI,
                    .meaning = "how much that an IOMMU blocks is too much",
                    .attributes = {{"limit", true, FAULTS_FORM, NULL, domain_set_dma_limit,
                                    .write = "limit='0' to limit='255', what a function may have "
                                             "blocked without a crash"}}},
    [WATCHDOG] = {OURS, "watchdog", ELEMENTS_URI, .begin = lives_begin_watchdog,
                  .meaning = "how long it may do without its main loop",
                  .attributes = {{"ms", true, WATCH_FORM, NULL, lives_set_watchdog,
                                  .write = "ms='2000', 100 to 999999 milliseconds"}}},
    [RESTART] = {OURS, "restart", ELEMENTS_URI, .begin = lives_begin_restart,
                 .meaning = "of a driver domain: how often it may come back",
                 .attributes = {{"budget", true, BUDGET_FORM, NULL, lives_set_budget,
                                 .write = "budget='10', 1 to 100 restarts"},
                                {"per", true, PER_FORM, NULL, lives_set_per,
                                 .write = "per='60', 1 to 99999 seconds"},
                                {"backoff", false, PAUSE_FORM, NULL, lives_set_backoff,
                                 .write = "backoff='100', 0 to 99999 milliseconds"}}},

    [MEMORY] = {DOMAIN, "memory", .count = WALK_REQUIRED, .begin = domain_begin_memory,
                .write = "<memory unit='MiB'>128</memory>", .meaning = "RAM", .has_text = true,
                .text = {NULL, true, SIZE_FORM, NULL, domain_set_memory, .write = SIZE_HINT},
                .attributes = {{"unit", false, UNIT_FORM, NULL, domain_set_memory_unit,
                                .write = UNIT_HINT}}},
    [CURRENT_MEMORY] = {DOMAIN, "currentMemory", .begin = domain_begin_memory,
                        .meaning = "RAM that the guest's balloon leaves in use", .has_text = true,
                        .text = {NULL, true, SIZE_FORM, NULL, domain_set_current_memory,
                                 .write = SIZE_HINT},
                        .attributes = {{"unit", false, UNIT_FORM, NULL, domain_set_memory_unit,
                                        .write = UNIT_HINT}}},
    [VCPU] = {DOMAIN, "vcpu", .begin = domain_begin_vcpu, .meaning = "virtual CPUs",
              .has_text = true,
              .text = {NULL, true, "1", .write = "1: domains have one CPU for now"},
              .attributes = {{"placement", false, "static", .write = "'static', or remove it"}}},

    [OS] = {DOMAIN, "os", .count = WALK_REQUIRED, .meaning = "what is booted, and how",
            .write = "<os><type>xenpvh</type><kernel>/vmlinuz</kernel></os>"},
    [TYPE] = {OS, "type", .count = WALK_REQUIRED, .first = true, .write = "<type>xenpvh</type>",
              .meaning = "how it is entered", .has_text = true,
              .text = {NULL, true, "xenpvh",
                       .write = "xenpvh: HVM and PV guests are not supported"},
              .attributes = {{"arch", false, "x86_64", .write = "'x86_64', or remove it"},
                             {"machine", false, "xenpvh", .write = "'xenpvh', or remove it"}}},
    [KERNEL] = {OS, "kernel", .count = WALK_REQUIRED, .write = "<kernel>/vmlinuz</kernel>",
                .meaning = "a kernel with the PVH note, bzImage or ELF", .has_text = true,
                .text = {NULL, true, PATH_FORM, NULL, domain_set_kernel, .write = PATH_HINT}},
    [INITRD] = {OS, "initrd", .meaning = "handed to the kernel as its first module",
                .has_text = true,
                .text = {NULL, true, PATH_FORM, NULL, domain_set_initrd, .write = PATH_HINT}},
    [CMDLINE] = {OS, "cmdline", .meaning = "the kernel's command line", .has_text = true,
                 .text = {.set = domain_set_cmdline}},

    [CLOCK] = {DOMAIN, "clock", .meaning = "what the wall clock shows at start",
               .attributes = {{"offset", true, "utc", .write = "offset='utc'"},
                              {"adjustment", false, "reset", .write = "'reset', or remove it"}}},
    [ON_POWEROFF] = {DOMAIN, "on_poweroff", .meaning = "when the guest powers off",
                     .has_text = true,
                     .text = {NULL, true, ACTION_FORM, NULL, domain_set_on_poweroff,
                              .write = ACTION_HINT}},
    [ON_REBOOT] = {DOMAIN, "on_reboot", .meaning = "when the guest reboots", .has_text = true,
                   .text = {NULL, true, ACTION_FORM, NULL, domain_set_on_reboot,
                            .write = ACTION_HINT}},
    [ON_CRASH] = {DOMAIN, "on_crash", .meaning = "when the guest crashes", .has_text = true,
                  .text = {NULL, true, ACTION_FORM, NULL, domain_set_on_crash,
                           .write = ACTION_HINT}},

    [DEVICES] = {DOMAIN, "devices", .meaning = "holds the devices"},
    [EMULATOR] = {DEVICES, "emulator", .meaning = "accepted, of no use to a PVH guest",
                  .has_text = true,
                  .text = {NULL, true, "/.+", NULL, domain_set_emulator,
                           .write = "an absolute path, or remove it: a PVH guest has no emulator"}},
    [DISK] = {DEVICES, "disk", .count = WALK_MANY, .begin = device_begin_disk,
              .meaning = "a disk that a block domain or a Linux domain serves",
              .attributes = {{"type", true, "block|file", NULL, device_set_type,
                              .write = "type='block' or 'file': networks are not served"},
                             {"device", false, "disk", .write = "'disk', or remove it"}}},
    [DISK_DRIVER] = {DISK, "driver", .meaning = "accepted, the back end decides",
                     .attributes = {{"name", true, "phy|file", NULL, device_set_driver,
                                     .write = "name='phy', or 'file' with type='file'"},
                                    {"type", false, "raw", .write = "'raw', or remove it"}}},
    [DISK_SOURCE] =
        {DISK, "source", .count = WALK_REQUIRED, .write = "<source dev='/dev/vda1'/>",
         .meaning = "the disk, partition or file, as the back end names it",
         .attributes = {{"dev", false, "/dev(/[!-.0-~]+)+", NULL, device_set_source,
                         .write =
                             "dev='/dev/nvme0n1p1', '/dev/vda' or '/dev/disk/by-partlabel/LABEL'"},
                        {"file", false, PATH_FORM, NULL, device_set_file,
                         .write = "file='/images/web.img', an absolute path without spaces"}}},
    [DISK_TARGET] = {DISK, "target", .count = WALK_REQUIRED,
                     .write = "<target dev='xvda' bus='xen'/>",
                     .meaning = "the disk, as the guest names it",
                     .attributes = {{"dev", true, "xvd[a-z]{1,2}", NULL, device_set_target,
                                     .write = "dev='xvda', 'xvdb' ..."},
                                    {"bus", false, "xen", .write = "bus='xen'"}}},
    [DISK_READONLY] = {DISK, "readonly", .begin = device_begin_readonly,
                       .meaning = "the guest cannot write"},
    [DISK_BACKENDDOMAIN] = {DISK, "backenddomain", .meaning = "the block domain that serves it",
                            .attributes = {{"name", true, NAME_FORM, NULL, device_set_backend,
                                            .write = "the name of a block domain"}}},

    [INTERFACE] = {DEVICES, "interface", .count = WALK_MANY, .begin = interface_begin,
                   .meaning = "a network interface that a net domain serves",
                   .attributes = {{"type", true, "bridge",
                                   .write = "type='bridge': a bridge of a net domain is what "
                                            "interfaces belong to"}}},
    [INTERFACE_SOURCE] = {INTERFACE, "source", .count = WALK_REQUIRED,
                          .write = "<source bridge='br0'/>",
                          .meaning = "the bridge, as the net domain names it",
                          .attributes = {{"bridge", true, BRIDGE_FORM, NULL, interface_set_bridge,
                                          .write = "bridge='br0', 1 to 15 of A-Z a-z 0-9 _ . -"}}},
    [INTERFACE_MAC] =
        {INTERFACE, "mac", .meaning = "its Ethernet address; made from the uuid if absent",
         .attributes = {{"address", true, MAC_FORM, "00:00:00:00:00:00", interface_set_mac,
                         .write = "address='00:16:3e:12:34:56', the first pair an even number",
                         .why = "it is nobody's address: write another, or remove <mac>"}}},
    [INTERFACE_BACKENDDOMAIN] = {INTERFACE, "backenddomain", .meaning = "the domain that serves it",
                                 .attributes = {{"name", true, NAME_FORM, NULL,
                                                 interface_set_backend,
                                                 .write = "the name of a net domain"}}},
    [INTERFACE_TARGET] = {INTERFACE, "target", .meaning = "how it is called outside the guest",
                          .attributes = {{"dev", true, BRIDGE_FORM, NULL, interface_set_target,
                                          .write = "dev='web0', 1 to 15 of A-Z a-z 0-9 _ . -"}}},
    [INTERFACE_MTU] = {INTERFACE, "mtu", .meaning = "the longest packet, without Ethernet's header",
                       .attributes = {{"size", true, MTU_FORM, NULL, interface_set_mtu,
                                       .write = "size='1500', 68 to 65535"}}},
    [INTERFACE_PORT] = {INTERFACE, "port", .meaning = "its port of the bridge",
                        .attributes = {{"isolated", false, "yes|no", NULL, interface_set_isolated,
                                        .write = "yes or no"}}},
    [BANDWIDTH] = {INTERFACE, "bandwidth", .meaning = "holds its limits"},
    [INBOUND] = {BANDWIDTH, "inbound", .begin = interface_begin_inbound,
                 .meaning = "of what goes to the guest", .attributes = SPEEDS},
    [OUTBOUND] = {BANDWIDTH, "outbound", .begin = interface_begin_outbound,
                  .meaning = "of what comes from the guest", .attributes = SPEEDS},
    [VLAN] = {INTERFACE, "vlan", .begin = interface_begin_vlan,
              .meaning = "the VLANs of the bridge that it belongs to",
              .attributes = {{"trunk", false, "yes", NULL, interface_set_trunk,
                              .write = "'yes', or remove it"}}},
    [TAG] = {VLAN, "tag", .count = WALK_SOME, .begin = interface_begin_tag,
             .write = "<tag id='42'/>", .meaning = "one VLAN",
             .attributes = {{"id", true, TAG_FORM, NULL, interface_set_tag,
                             .write = "id='42', 1 to 4094"},
                            {"nativeMode", false, "untagged", NULL, interface_set_native,
                             .write = "'untagged', or remove it"}}},
    [FILTERREF] = {INTERFACE, "filterref", .meaning = "what the guest may not pretend to be",
                   .attributes = {{"filter", true, FILTER_FORM, NULL, interface_set_filter,
                                   .write = "no-mac-spoofing, no-ip-spoofing, no-arp-spoofing or "
                                            "clean-traffic"}}},
    [PARAMETER] = {FILTERREF, "parameter", .count = WALK_MANY, .begin = interface_begin_parameter,
                   .meaning = "an address that is the guest's",
                   .attributes = {{"name", true, "IP|IPV6", NULL, interface_set_parameter,
                                   .write = "name='IP' or 'IPV6'"},
                                  {"value", true, "[0-9a-fA-F.:]{2,45}", NULL,
                                   interface_set_address,
                                   .write = "value='192.0.2.7' or '2001:db8::7'"}}},

    [HOSTDEV] = {DEVICES, "hostdev", .count = WALK_MANY, .begin = device_begin_hostdev,
                 .meaning = "a PCI function that the domain owns",
                 .attributes = {{"mode", false, "subsystem", .write = "mode='subsystem'"},
                                {"type", true, "pci",
                                 .write = "type='pci': a whole PCI function is all that is "
                                          "handed out"},
                                {"managed", false, "yes|no", NULL, device_set_managed,
                                 .write = "yes or no"}}},
    [HOSTDEV_SOURCE] = {HOSTDEV, "source", .count = WALK_REQUIRED,
                        .write =
                            "<source><address bus='0x00' slot='0x04' function='0x0'/></source>",
                        .meaning = "holds the address"},
    [HOSTDEV_ADDRESS] =
        {HOSTDEV_SOURCE, "address", .count = WALK_REQUIRED, .begin = device_begin_address,
         .write = "<address bus='0x00' slot='0x04' function='0x0'/>",
         .meaning = "where the function is on the host; the domain sees it there too",
         .attributes = {{"domain", false, "0x[0-9a-fA-F]{1,4}|0{0,3}[0-7]|[89]|[1-9][0-9]{1,3}",
                         NULL, device_set_segment, .write = "0x0000 to 0xffff"},
                        {"bus", true, BYTE_FORM, NULL, device_set_bus, .write = "0x00 to 0xff"},
                        {"slot", true, "0x[01]?[0-9a-fA-F]|0?[0-7]|[89]|[12][0-9]|3[01]", NULL,
                         device_set_slot, .write = "0x00 to 0x1f"},
                        {"function", true, "(0x)?[0-7]", NULL, device_set_function,
                         .write = "0x0 to 0x7"}}},

    [CONSOLE] = {DEVICES, "console", .meaning = "the console every domain has",
                 .attributes = {{"type", true, "pty", .write = "type='pty'"}}},
    [CONSOLE_TARGET] = {CONSOLE, "target", .meaning = "accepted, there is one kind",
                        .attributes = {{"type", false, "xen", .write = "type='xen'"},
                                       {"port", false, "0",
                                        .write = "port='0': there is one console"}}},
    [MEMBALLOON] = {DEVICES, "memballoon", .meaning = "accepted, every guest has it",
                    .attributes = {{"model", true, "xen", .write = "model='xen'"}}},
};

const struct walk_grammar elements_domain = {rows, ROW_COUNT, elements_hints};
