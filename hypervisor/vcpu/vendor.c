/* Which vendor's virtualization the machine has. */

#include "console/console.h"
#include "svm/svm.h"

#define CPUID_EXT1_ECX_SVM (1u << 2)

const struct virt_ops *virt;

int virt_init(void)
{
    if (!(cpu_cpuid(0x80000001, 0).ecx & CPUID_EXT1_ECX_SVM)) {
        console_log("no virtualization: this CPU has no SVM");
        return -XEN_ENODEV;
    }
    virt = &svm_ops;
    return virt->cpu_enable();
}
