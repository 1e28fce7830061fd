/* The functions that a driver domain is to use. */
#include "pci.h"

#include <stdio.h>

#include <rt/log.h>

/* "pci=BB:SS.F"; false if it is something else. */
static bool word_read(const char *word, unsigned *bus, unsigned *slot, unsigned *function)
{
    return sscanf(word, "pci=%x:%x.%u", bus, slot, function) == 3 && *bus < 256 && *slot < 32 &&
           *function < 8;
}

uint32_t pci_chosen(int argc, char **argv, struct pci_function *functions, uint32_t max)
{
    uint32_t count = 0;
    bool named = false;

    for (int i = 1; i < argc; i++) {
        unsigned bus, slot, function;

        if (!word_read(argv[i], &bus, &slot, &function))
            continue;
        named = true;
        if (count == max) {
            log_line("%s: more functions than are supported", argv[i]);
            continue;
        }
        if (pci_open(&functions[count], (uint8_t)bus, (uint8_t)slot, (uint8_t)function) < 0) {
            log_line("%s: not one of this domain's devices", argv[i]);
            functions[count].config = NULL;
        }
        count++;
    }
    return named ? count : pci_scan(0, functions, max);
}
