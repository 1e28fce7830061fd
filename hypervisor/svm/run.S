/* Into the guest and out again: what VMRUN neither loads nor saves by itself. */
#include "svm/offsets.h"

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
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdx
    pushq %rdi
    movq %rsi, %rax
    clgi
    sti
    movq REGS_RBX(%rdi), %rbx
    movq REGS_RCX(%rdi), %rcx
    movq REGS_RDX(%rdi), %rdx
    movq REGS_RSI(%rdi), %rsi
    movq REGS_RBP(%rdi), %rbp
    movq REGS_R8(%rdi), %r8
    movq REGS_R9(%rdi), %r9
    movq REGS_R10(%rdi), %r10
    movq REGS_R11(%rdi), %r11
    movq REGS_R12(%rdi), %r12
    movq REGS_R13(%rdi), %r13
    movq REGS_R14(%rdi), %r14
    movq REGS_R15(%rdi), %r15
    movq REGS_RDI(%rdi), %rdi
    vmload %rax
    vmrun %rax
    vmsave %rax
    cli
    movq 8(%rsp), %rax
    vmload %rax
    popq %rax
    movq %rbx, REGS_RBX(%rax)
    movq %rcx, REGS_RCX(%rax)
    movq %rdx, REGS_RDX(%rax)
    movq %rsi, REGS_RSI(%rax)
    movq %rdi, REGS_RDI(%rax)
    movq %rbp, REGS_RBP(%rax)
    movq %r8, REGS_R8(%rax)
    movq %r9, REGS_R9(%rax)
    movq %r10, REGS_R10(%rax)
    movq %r11, REGS_R11(%rax)
    movq %r12, REGS_R12(%rax)
    movq %r13, REGS_R13(%rax)
    movq %r14, REGS_R14(%rax)
    movq %r15, REGS_R15(%rax)
    /* No value of the guest's stays where speculation could use it. */
    xorl %ecx, %ecx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    popq %rdx
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    stgi
    ret

/* void svm_vmsave(uint64_t block) */
    .globl svm_vmsave
svm_vmsave:
    movq %rdi, %rax
    vmsave %rax
    ret

    .section .note.GNU-stack, "", @progbits
