/* A vcpu_info that moves: alone in its guest, since it cannot move back. */
#include "call.h"
#include "check.h"

#include <abi/vcpu.h>

TEST(vcpu_info_moves_once)
{
    static uint8_t page[4096] __attribute__((aligned(4096)));
    struct vcpu_register_vcpu_info info = {.mfn = call_address(page) / 4096, .offset = 4090};

    EXPECT(call_vcpu(VCPUOP_register_vcpu_info, 0, &info) == -XEN_EINVAL);
    info.offset = 63;
    EXPECT(call_vcpu(VCPUOP_register_vcpu_info, 0, &info) == -XEN_EINVAL);
    info.offset = 128;
    info.mfn = 1ull << 40;
    EXPECT(call_vcpu(VCPUOP_register_vcpu_info, 0, &info) == -XEN_EINVAL);
    info.mfn = call_address(page) / 4096;
    EXPECT(call_vcpu(VCPUOP_register_vcpu_info, 0, &info) == 0);
    EXPECT(((struct vcpu_info *)(void *)(page + 128))->time.tsc_to_system_mul != 0);
    EXPECT(((struct vcpu_info *)(void *)(page + 128))->evtchn_upcall_pending == 1);
    EXPECT(call_vcpu(VCPUOP_register_vcpu_info, 0, &info) == -XEN_EINVAL);
}
