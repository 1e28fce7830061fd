/* A store that answers anything, and uevents of anything. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus.h"
#include "uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bus bus;
    struct uevent event;
    char value[64];
    char *text;
    int ends[2];

    if (size > 60000 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return 0;
    if (size > 0 && send(ends[1], data, size, 0) != (ssize_t)size)
        abort();
    (void)shutdown(ends[1], SHUT_WR);
    bus_init(&bus, ends[0]);
    for (unsigned i = 0; i < 6 && bus.broken == 0; i++) {
        int rc = i % 3 == 0   ? bus_read(&bus, value, sizeof(value), "a/%u", i)
                 : i % 3 == 1 ? bus_list(&bus, value, sizeof(value), "b")
                              : bus_write(&bus, "v", "c");

        if (rc >= (int)sizeof(value) || (i % 3 == 0 && rc >= 0 && value[rc] != 0))
            abort();
    }
    close(ends[0]);
    close(ends[1]);

    text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    uevent_parse(text, size, &event);
    free(text);
    return 0;
}
