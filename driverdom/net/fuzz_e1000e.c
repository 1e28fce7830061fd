/* An 82574L that writes what it likes into its rings; the moves are those of fuzz_card.h. */
#include "e1000e.h"

#include "fuzz_card.h"
#include "model_e1000e.h"

/* Its receive ring, then its transmit ring's verdicts. */
static void fuzz_write(uint32_t at, uint8_t value)
{
    struct e1000e *e = (struct e1000e *)rig.nic;

    if (at & 0x800)
        ((uint8_t *)&e->tx[at % E1000E_DEPTH].high)[0] = value;
    else
        ((uint8_t *)&e->rx[at / 8 % E1000E_DEPTH].status)[at % 8] = value;
}

static void fuzz_receive(uint32_t len, uint8_t how)
{
    (void)model_receive(rig.frame, len, how & 0x70u);
}

/* Only frames that it still has: it may have said of some that it is done with them. */
static void fuzz_transmit(void)
{
    struct e1000e *e = (struct e1000e *)rig.nic;

    for (uint32_t i = e->tx_head; i != e->tx_told; i = (i + 1) % E1000E_DEPTH)
        e->tx[i].high |= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pci_function f;

    rig_init();
    model_init();
    model.mute = true;
    if (pci_open(&f, 0, 4, 0) < 0 || rig_open(&e1000e_hardware, &f) < 0)
        abort();
    fuzz_moves(data, size);
    return 0;
}
