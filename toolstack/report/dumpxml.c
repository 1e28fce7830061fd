/* A domain's configuration as XML again. Reading it gives the same configuration. */
#include "dumpxml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_json.h"
#include "rights.h"

/* Control characters would not survive reading as they are; all else but markup does. */
static void write_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': (void)fputs("&amp;", out); break;
        case '<': (void)fputs("&lt;", out); break;
        case '>': (void)fputs("&gt;", out); break;
        case '\'': (void)fputs("&apos;", out); break;
        case '\n':
        case '\r':
        case '\t': (void)fprintf(out, "&#%d;", *text); break;
        default: (void)fputc(*text, out); break;
        }
    }
}

static void write_element(FILE *out, const char *indent, const char *name, const char *text)
{
    if (!text)
        return;
    (void)fprintf(out, "%s<%s>", indent, name);
    write_escaped(out, text);
    (void)fprintf(out, "</%s>\n", name);
}

static void write_attribute(FILE *out, const char *name, const char *text)
{
    (void)fprintf(out, " %s='", name);
    write_escaped(out, text);
    (void)fputc('\'', out);
}

static void write_metadata(FILE *out, const struct domain_config *domain)
{
    if (!domain->rights && domain->bridge_count == 0 && !domain->has_dma_limit &&
        !domain->watchdog_ms && !domain->has_restart)
        return;
    (void)fputs("  <metadata>\n"
                "    <bulkhead:domain xmlns:bulkhead='urn:bulkhead:1'>\n",
                out);
    for (uint32_t right = 1; right; right <<= 1) {
        if (domain->rights & right)
            (void)fprintf(out, "      <bulkhead:right name='%s'/>\n", rights_name(right));
    }
    for (size_t i = 0; i < domain->bridge_count; i++)
        (void)fprintf(out, "      <bulkhead:bridge name='%s' nic='%u'/>\n", domain->bridges[i].name,
                      domain->bridges[i].nic);
    if (domain->has_dma_limit)
        (void)fprintf(out, "      <bulkhead:dma-faults limit='%u'/>\n", domain->dma_limit);
    if (domain->watchdog_ms)
        (void)fprintf(out, "      <bulkhead:watchdog ms='%u'/>\n", domain->watchdog_ms);
    if (domain->has_restart)
        (void)fprintf(out, "      <bulkhead:restart budget='%u' per='%u' backoff='%u'/>\n",
                      domain->restart.budget, domain->restart.per_s, domain->restart.backoff_ms);
    (void)fputs("    </bulkhead:domain>\n"
                "  </metadata>\n",
                out);
}

static void write_backend(FILE *out, const struct config_served *served)
{
    const char *name = served->backend ? served->backend->name : served->backend_name;

    if (name)
        (void)fprintf(out, "      <backenddomain name='%s'/>\n", name);
}

static void write_disk(FILE *out, const struct config_disk *disk)
{
    (void)fprintf(out,
                  "    <disk type='%s' device='disk'>\n"
                  "      <driver name='%s' type='raw'/>\n"
                  "      <source",
                  disk->is_file ? "file" : "block", disk->is_file ? "file" : "phy");
    write_attribute(out, disk->is_file ? "file" : "dev", disk->source);
    (void)fprintf(out, "/>\n      <target dev='%s' bus='xen'/>\n", disk->target);
    write_backend(out, &disk->served);
    if (disk->readonly)
        (void)fputs("      <readonly/>\n", out);
    (void)fputs("    </disk>\n", out);
}

static void write_rate(FILE *out, const char *name, const struct config_rate *rate)
{
    if (!rate->average)
        return;
    (void)fprintf(out, "        <%s average='%u'", name, rate->average);
    if (rate->peak)
        (void)fprintf(out, " peak='%u'", rate->peak);
    if (rate->burst)
        (void)fprintf(out, " burst='%u'", rate->burst);
    (void)fputs("/>\n", out);
}

static void write_bandwidth(FILE *out, const struct config_interface *interface)
{
    if (!interface->inbound.average && !interface->outbound.average)
        return;
    (void)fputs("      <bandwidth>\n", out);
    write_rate(out, "inbound", &interface->inbound);
    write_rate(out, "outbound", &interface->outbound);
    (void)fputs("      </bandwidth>\n", out);
}

static void write_vlan(FILE *out, const struct config_vlan *vlan)
{
    if (vlan->count == 0)
        return;
    (void)fprintf(out, "      <vlan%s>\n", vlan->trunk ? " trunk='yes'" : "");
    for (size_t i = 0; i < vlan->count; i++)
        (void)fprintf(out, "        <tag id='%u'%s/>\n", vlan->tags[i],
                      vlan->tags[i] == vlan->native ? " nativeMode='untagged'" : "");
    (void)fputs("      </vlan>\n", out);
}

static void write_filter(FILE *out, const struct config_interface *interface)
{
    const char *name = config_filter_name(interface->filter);

    if (!name)
        return;
    (void)fprintf(out, "      <filterref filter='%s'%s>\n", name,
                  interface->address_count ? "" : "/");
    for (size_t i = 0; i < interface->address_count; i++)
        (void)fprintf(out, "        <parameter name='%s' value='%s'/>\n",
                      interface->addresses[i].is6 ? "IPV6" : "IP", interface->addresses[i].text);
    if (interface->address_count)
        (void)fputs("      </filterref>\n", out);
}

/* A running domain's interface has a name in any case. */
static void write_target(FILE *out, const struct config_interface *interface, unsigned id)
{
    if (interface->target)
        (void)fprintf(out, "      <target dev='%s'/>\n", interface->target);
    else if (id)
        (void)fprintf(out, "      <target dev='vif%u.%u'/>\n", id, interface->served.number);
}

static void write_interface(FILE *out, const struct config_interface *interface, unsigned id)
{
    char mac[18];

    config_json_mac(interface->mac, mac);
    (void)fprintf(out,
                  "    <interface type='bridge'>\n"
                  "      <mac address='%s'/>\n"
                  "      <source bridge='%s'/>\n",
                  mac, interface->bridge);
    write_target(out, interface, id);
    write_backend(out, &interface->served);
    write_filter(out, interface);
    write_bandwidth(out, interface);
    write_vlan(out, &interface->vlan);
    if (interface->mtu)
        (void)fprintf(out, "      <mtu size='%u'/>\n", interface->mtu);
    if (interface->isolated)
        (void)fputs("      <port isolated='yes'/>\n", out);
    (void)fputs("    </interface>\n", out);
}

static void write_hostdev(FILE *out, const struct config_hostdev *dev)
{
    (void)fprintf(out,
                  "    <hostdev mode='subsystem' type='pci' managed='%s'>\n"
                  "      <source>\n"
                  "        <address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n"
                  "      </source>\n"
                  "    </hostdev>\n",
                  dev->managed ? "yes" : "no", dev->segment, dev->bus, dev->slot, dev->function);
}

static void write_devices(FILE *out, const struct domain_config *domain, unsigned id)
{
    (void)fputs("  <devices>\n", out);
    write_element(out, "    ", "emulator", domain->emulator);
    for (size_t i = 0; i < domain->disk_count; i++)
        write_disk(out, &domain->disks[i]);
    for (size_t i = 0; i < domain->interface_count; i++)
        write_interface(out, &domain->interfaces[i], id);
    for (size_t i = 0; i < domain->hostdev_count; i++)
        write_hostdev(out, &domain->hostdevs[i]);
    (void)fputs("    <console type='pty'>\n"
                "      <target type='xen' port='0'/>\n"
                "    </console>\n"
                "    <memballoon model='xen'/>\n"
                "  </devices>\n",
                out);
}

static void write_domain(FILE *out, const struct domain_config *domain, unsigned id)
{
    char uuid[37];

    config_json_uuid(domain->uuid, uuid);
    (void)fputs("<domain type='xen'", out);
    if (id)
        (void)fprintf(out, " id='%u'", id);
    (void)fputs(">\n", out);
    write_element(out, "  ", "name", domain->name);
    write_element(out, "  ", "uuid", uuid);
    write_element(out, "  ", "title", domain->title);
    write_element(out, "  ", "description", domain->description);
    write_metadata(out, domain);
    (void)fprintf(out,
                  "  <memory unit='KiB'>%" PRIu64 "</memory>\n"
                  "  <currentMemory unit='KiB'>%" PRIu64 "</currentMemory>\n"
                  "  <vcpu placement='static'>%u</vcpu>\n"
                  "  <os>\n"
                  "    <type arch='x86_64' machine='xenpvh'>xenpvh</type>\n",
                  domain->memory_bytes / 1024, domain->current_memory_bytes / 1024, domain->vcpus);
    write_element(out, "    ", "kernel", domain->kernel);
    write_element(out, "    ", "initrd", domain->initrd);
    write_element(out, "    ", "cmdline", domain->cmdline);
    (void)fputs("  </os>\n"
                "  <clock offset='utc'/>\n",
                out);
    write_element(out, "  ", "on_poweroff", config_json_action(domain->on_poweroff));
    write_element(out, "  ", "on_reboot", config_json_action(domain->on_reboot));
    write_element(out, "  ", "on_crash", config_json_action(domain->on_crash));
    write_devices(out, domain, id);
    (void)fputs("</domain>\n", out);
}

char *dumpxml_text(const struct domain_config *domain, unsigned id)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool failed;

    if (!out)
        return NULL;
    write_domain(out, domain, id);
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
