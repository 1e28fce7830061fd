/* A dump reads as the same configuration: over many random ones, and by eye over one. */
#include "dumpxml.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

TEST(random_configurations_come_back)
{
    uint8_t data[2500];
    uint32_t seed = 1;

    for (unsigned run = 0; run < 500; run++) {
        for (size_t i = 0; i < sizeof(data); i++) {
            seed = seed * 1664525 + 1013904223;
            data[i] = (uint8_t)(seed >> 24);
        }
        EXPECT(LLVMFuzzerTestOneInput(data, sizeof(data)) == 0);
    }
}

static const char *const expected = "<domain type='xen' id='7'>\n"
                                    "  <name>a</name>\n"
                                    "  <uuid>d228cb69-6f1a-8caf-b891-2b704e4a8964</uuid>\n"
                                    "  <memory unit='KiB'>32768</memory>\n"
                                    "  <currentMemory unit='KiB'>32768</currentMemory>\n"
                                    "  <vcpu placement='static'>1</vcpu>\n"
                                    "  <os>\n"
                                    "    <type arch='x86_64' machine='xenpvh'>xenpvh</type>\n"
                                    "    <kernel>/vmlinuz</kernel>\n"
                                    "  </os>\n"
                                    "  <clock offset='utc'/>\n"
                                    "  <on_poweroff>destroy</on_poweroff>\n"
                                    "  <on_reboot>restart</on_reboot>\n"
                                    "  <on_crash>destroy</on_crash>\n"
                                    "  <devices>\n"
                                    "    <console type='pty'>\n"
                                    "      <target type='xen' port='0'/>\n"
                                    "    </console>\n"
                                    "    <memballoon model='xen'/>\n"
                                    "  </devices>\n"
                                    "</domain>\n";

TEST(one_by_eye)
{
    const struct config_root root = {CASES, NULL};
    struct diagnostics list = {0};
    struct domain_config *domain = NULL;

    EXPECT(config_domain_load(&root, "/good-minimal.xml", &domain, &list) == 0);
    char *text = domain ? dumpxml_text(domain, 7) : NULL;

    EXPECT(text && strcmp(text, expected) == 0);
    free(text);
    config_domain_free(domain);
    diagnostics_free(&list);
}
