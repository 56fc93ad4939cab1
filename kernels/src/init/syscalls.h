/* Raw system calls: the numbers of arch/x86/entry/syscalls/syscall_64.tbl and of
 * include/uapi/asm-generic/unistd.h, the *at() forms throughout since arm64 has no others. */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#if defined(__x86_64__)
#define SYS_read 0
#define SYS_write 1
#define SYS_close 3
#define SYS_ioctl 16
#define SYS_dup3 292
#define SYS_fcntl 72
#define SYS_syslog 103
#define SYS_sync 162
#define SYS_mount 165
#define SYS_reboot 169
#define SYS_openat 257
#define SYS_mkdirat 258
#define SYS_mknodat 259

static inline long call(long number, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "+a"(number)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return number;
}
#elif defined(__aarch64__)
#define SYS_dup3 24
#define SYS_fcntl 25
#define SYS_ioctl 29
#define SYS_mknodat 33
#define SYS_mkdirat 34
#define SYS_mount 40
#define SYS_openat 56
#define SYS_close 57
#define SYS_read 63
#define SYS_write 64
#define SYS_sync 81
#define SYS_syslog 116
#define SYS_reboot 142

static inline long call(long number, long a, long b, long c, long d, long e) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#endif

#endif
