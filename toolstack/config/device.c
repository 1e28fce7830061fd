/* Setters of a domain's devices: disks and PCI functions. */
#include <errno.h>
#include <stdlib.h>

#include "elements.h"
#include "reading.h"
#include "value.h"

static struct config_disk *disk_of(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);

    return &domain->disks[domain->disk_count - 1];
}

static struct config_hostdev *hostdev_of(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);

    return &domain->hostdevs[domain->hostdev_count - 1];
}

int device_begin_disk(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);
    struct config_disk *disks = realloc(domain->disks, (domain->disk_count + 1) * sizeof(*disks));

    if (!disks)
        return -ENOMEM;
    domain->disks = disks;
    disks[domain->disk_count++] =
        (struct config_disk){.served = {.line = walk->line, .backend_line = walk->line}};
    return 0;
}

int device_set_type(struct walk *walk, const char *text)
{
    disk_of(walk)->is_file = text[0] == 'f';
    return 0;
}

int device_set_driver(struct walk *walk, const char *text)
{
    if (text[0] == 'f')
        disk_of(walk)->driver_line = walk->line;
    return 0;
}

static int set_source(struct walk *walk, const char *text, bool is_file)
{
    struct config_disk *disk = disk_of(walk);

    disk->served.source_line = walk->line;
    reading_check_path(walk, text, walk->line);
    if (is_file != disk->is_file)
        walk_refuse(walk, walk->line, "the source of a disk of type='%s' is no %s: write %s",
                    disk->is_file ? "file" : "block", is_file ? "file" : "device",
                    disk->is_file ? "file='/images/web.img'" : "dev='/dev/vda'");
    return reading_keep(&disk->source, text);
}

int device_set_source(struct walk *walk, const char *text)
{
    return set_source(walk, text, false);
}

int device_set_file(struct walk *walk, const char *text)
{
    return set_source(walk, text, true);
}

void device_check_disk(struct walk *walk, const struct config_disk *disk)
{
    if (!disk->source)
        walk_refuse(walk, disk->served.line, "<source> names nothing: write <source %s/>",
                    disk->is_file ? "file='/images/web.img'" : "dev='/dev/vda'");
    if (disk->driver_line && !disk->is_file)
        walk_refuse(walk, disk->driver_line,
                    "driver 'file' is for files: write name='phy', or type='file' and <source "
                    "file='...'/>");
}

int device_set_target(struct walk *walk, const char *text)
{
    disk_of(walk)->target_line = walk->line;
    disk_of(walk)->served.number = config_disk_number(text);
    return reading_keep(&disk_of(walk)->target, text);
}

int device_begin_readonly(struct walk *walk)
{
    disk_of(walk)->readonly = true;
    return 0;
}

int device_set_backend(struct walk *walk, const char *text)
{
    disk_of(walk)->served.backend_line = walk->line;
    return reading_keep(&disk_of(walk)->served.backend_name, text);
}

int device_begin_hostdev(struct walk *walk)
{
    struct domain_config *domain = reading_domain(walk);
    struct config_hostdev *hostdevs =
        realloc(domain->hostdevs, (domain->hostdev_count + 1) * sizeof(*hostdevs));

    if (!hostdevs)
        return -ENOMEM;
    domain->hostdevs = hostdevs;
    hostdevs[domain->hostdev_count++] = (struct config_hostdev){.line = walk->line};
    return 0;
}

int device_set_managed(struct walk *walk, const char *text)
{
    hostdev_of(walk)->managed = text[0] == 'y';
    return 0;
}

int device_begin_address(struct walk *walk)
{
    hostdev_of(walk)->address_line = walk->line;
    return 0;
}

int device_set_segment(struct walk *walk, const char *text)
{
    hostdev_of(walk)->segment = (uint16_t)value_number(text);
    return 0;
}

int device_set_bus(struct walk *walk, const char *text)
{
    hostdev_of(walk)->bus = (uint8_t)value_number(text);
    return 0;
}

int device_set_slot(struct walk *walk, const char *text)
{
    hostdev_of(walk)->slot = (uint8_t)value_number(text);
    return 0;
}

int device_set_function(struct walk *walk, const char *text)
{
    hostdev_of(walk)->function = (uint8_t)value_number(text);
    return 0;
}
