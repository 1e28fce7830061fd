/*
 * Entry from a boot loader: by PVH note or multiboot2, both in 32-bit protected
 * mode without paging. Builds first page tables (low memory one to one, the
 * image in the higher half), goes to long mode and calls main.
 */
#include <arch/image.h>

#define PHYS(symbol) ((symbol) - IMAGE_VIRT)

#define MULTIBOOT_MAGIC 0xe85250d6
#define PVH_MAGIC       0x336ec578 /* what the start info itself begins with */

#define PAGE_PRESENT_WRITE 0x003
#define PAGE_LARGE         0x083

#define CR0_BITS 0x80010021 /* PG, WP, NE, PE */
#define CR4_PAE  0x20
#define EFER     0xc0000080
#define EFER_LME_NXE 0x900

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18 /* sizes of name and value, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .balign 4
    .quad boot_pvh

    .section .boot.header, "ax"
    .balign 8
header:
    .long MULTIBOOT_MAGIC, 0, header_end - header
    .long -(MULTIBOOT_MAGIC + (header_end - header))
    .balign 8
    .short 6, 0 /* modules at page borders */
    .long 8
    .balign 8
    .short 0, 0
    .long 8
header_end:

    .section .boot, "ax"
    .code32
    .globl boot_pvh, boot_multiboot
boot_pvh:
    movl $PVH_MAGIC, %eax
boot_multiboot:
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    movl %eax, %esi /* the protocol */
    movl %ebx, %ebp /* what the loader left */

    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc no_long_mode

    /* Top level: slot 0 one to one, slot 511 the image. */
    movl $PHYS(boot_tables), %ebx
    leal 0x1000 + PAGE_PRESENT_WRITE(%ebx), %eax
    movl %eax, (%ebx)
    leal 0x2000 + PAGE_PRESENT_WRITE(%ebx), %eax
    movl %eax, 511 * 8(%ebx)
    leal 0x3000 + PAGE_PRESENT_WRITE(%ebx), %eax
    movl %eax, 0x2000 + 510 * 8(%ebx)

    /* Four page directories: 4 GiB in 2 MiB pages; the image uses the first. */
    leal 0x3000(%ebx), %edi
    movl $PAGE_LARGE, %eax
    movl $2048, %ecx
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    loop 1b

    leal 0x1000(%ebx), %edi
    btl $26, %edx
    jc giant_pages
    leal 0x3000 + PAGE_PRESENT_WRITE(%ebx), %eax
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x1000, %eax
    loop 2b
    jmp enter

    /* 512 GiB in 1 GiB pages where the CPU has them. */
giant_pages:
    xorl %eax, %eax
    xorl %edx, %edx
    movl $512, %ecx
3:  movl %eax, (%edi)
    orl $PAGE_LARGE, (%edi)
    movl %edx, 4(%edi)
    addl $8, %edi
    addl $0x40000000, %eax
    adcl $0, %edx
    loop 3b

enter:
    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl %ebx, %cr3
    movl $EFER, %ecx
    rdmsr
    orl $EFER_LME_NXE, %eax
    wrmsr
    movl $CR0_BITS, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $enter64

no_long_mode:
    movl $message, %esi
    movw $0x3f8, %dx
4:  lodsb
    outb %al, %dx
    testb %al, %al
    jnz 4b
5:  hlt
    jmp 5b

    .code64
enter64:
    movq $boot_high, %rax
    jmp *%rax

message:
    .asciz "Bulkhead needs a 64-bit processor.\r\n"
    .balign 8
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word . - gdt - 1
    .long gdt

    .text
boot_high:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $boot_stack_top, %rsp
    movl %esi, %edi
    movl %ebp, %esi
    xorl %ebp, %ebp
    call main
6:  cli
    hlt
    jmp 6b

    .bss
    .balign 4096
    .globl boot_stack_guard, boot_stack_top
boot_tables:
    .skip 7 * 4096
boot_stack_guard: /* unmapped by paging_init */
    .skip 4096
    .skip 16384
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
