/* Into the guest and out again: what VMRUN neither loads nor saves by itself. */

/* Moves the registers in the order of struct regs, whose first they are (svm.c asserts it). */
    .macro registers move
    .set at, 0
    .irp reg, rbx, rcx, rdx, rsi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    \move \reg, at
    .set at, at + 8
    .endr
    .endm

    .macro load reg, at
    movq \at(%rdi), %\reg
    .endm

    .macro save reg, at
    movq %\reg, \at(%rax)
    .endm

/*
 * void svm_enter(struct regs *regs, uint64_t guest_block, uint64_t host_block)
 *
 * RAX, RSP, RIP and RFLAGS travel in the guest's control block. VMLOAD and
 * VMSAVE carry FS, GS, TR, LDTR and the system call registers; of these the host
 * needs GS and TR, which never change, so its own block was saved once.
 *
 * With V_INTR_MASKING a physical interrupt ends the stay if the host had IF set
 * at VMRUN; GIF is clear around it, so nothing is delivered here.
 */
    .text
    .globl svm_enter
svm_enter:
    .irp reg, rbx, rbp, r12, r13, r14, r15, rdx, rdi
    pushq %\reg
    .endr
    movq %rsi, %rax
    clgi
    sti
    registers load
    load rdi, at
    vmload %rax
    vmrun %rax
    vmsave %rax
    cli
    movq 8(%rsp), %rax
    vmload %rax
    popq %rax
    registers save
    save rdi, at
    /* No value of the guest's stays where speculation could use it. */
    .irp reg, ecx, esi, edi, r8d, r9d, r10d, r11d
    xorl %\reg, %\reg
    .endr
    .irp reg, rdx, r15, r14, r13, r12, rbp, rbx
    popq %\reg
    .endr
    stgi
    ret

/* void svm_vmsave(uint64_t block) */
    .globl svm_vmsave
svm_vmsave:
    movq %rdi, %rax
    vmsave %rax
    ret

    .section .note.GNU-stack, "", @progbits
