/* How a dword of a function's configuration space is answered to its owner. */
#pragma once

enum config_rule {
    RULE_HIDDEN, /* reads zero */
    RULE_READ,   /* the device's own, not to be written */
    RULE_COMMAND,
    RULE_BAR,
    RULE_CAPABILITIES,
    RULE_MSI,
    RULE_MSIX,
    RULE_PCIE_DEVICE,
    RULE_POWER,
    RULES
};

/* In pci_function.next: a capability that is shown, and no other after it. */
#define NEXT_LAST 1u
