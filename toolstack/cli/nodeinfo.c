/* nodeinfo: what the host has, and how much of it is left. */
#include "cli.h"

#include <string.h>

#include <abi/bulkhead.h>
#include <hcall.h>
#include <report/json.h>

static unsigned long long kib(uint64_t bytes)
{
    return bytes / 1024;
}

static void print_info(const struct bulkhead_host_info *host)
{
    cli_print("%-20s x86_64\n", "CPU model:");
    cli_print("%-20s %u\n", "CPU(s):", host->cpus);
    cli_print("%-20s %llu KiB\n", "Memory size:", kib(host->memory_bytes));
    cli_print("%-20s %llu KiB\n", "Free for domains:", kib(host->free_bytes));
    cli_print("%-20s %llu KiB\n", "Core:", kib(host->core_bytes));
    cli_print("%-20s %llu KiB\n", "Core's own free:", kib(host->pool_free_bytes));
    cli_print("%-20s %llu.%03llus\n", "Up:", (unsigned long long)(host->uptime_ns / 1000000000),
              (unsigned long long)(host->uptime_ns / 1000000 % 1000));
    cli_print("%-20s %s\n", "IOMMU:", host->flags & BULKHEAD_HOST_IOMMU ? "yes" : "no");
}

int verb_nodeinfo(struct cli *cli, int argc, char **argv)
{
    struct bulkhead_host_info host = {0};
    bool as_json = cli_flag(&argc, argv, "--json");
    struct json json;
    int rc;

    (void)cli;
    if (argc > 1)
        return cli_usage("nodeinfo", argv[1]);
    rc = hcall_host_info(&host);
    if (rc < 0)
        return cli_error("the core refused: %s", strerror(-rc));
    if (!as_json) {
        print_info(&host);
        return 0;
    }
    json_init(&json);
    json_object_open(&json, NULL);
    json_number(&json, "cpus", host.cpus);
    json_number(&json, "memory", host.memory_bytes);
    json_number(&json, "free", host.free_bytes);
    json_number(&json, "core", host.core_bytes);
    json_number(&json, "core_free", host.pool_free_bytes);
    json_number(&json, "uptime_ns", host.uptime_ns);
    json_bool(&json, "iommu", (host.flags & BULKHEAD_HOST_IOMMU) != 0);
    json_object_close(&json);
    return cli_print_json(&json);
}
