/* PID 1 of a test initramfs: says what userland sees of the boot, then ends the machine. */
#include "../report.h"
#include "syscalls.h"

#define AT_FDCWD -100
#define O_RDWR 2
#define F_GETFD 1
#define TCSBRK 0x5409 /* with a non-zero argument: tcdrain() */
#define SYSLOG_ACTION_CONSOLE_OFF 6
#define EINTR 4
#define S_IFCHR 0020000
#define CONSOLE_DEVICE (5 << 8 | 1)

/* reboot(2) */
#define LINUX_REBOOT_MAGIC1 0xfee1dead
#define LINUX_REBOOT_MAGIC2 672274793
#define LINUX_REBOOT_CMD_RESTART 0x01234567
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedc

#define PATH(text) (long)(text)

/* One write for each line: whatever else goes to the console stays out of its middle. */
static char line[16384];
static u64 line_size;

static void flush(void) {
  for (u64 done = 0; done < line_size;) {
    long written = call(SYS_write, 1, (long)(line + done), line_size - done, 0, 0);
    if (written > 0) done += written;
    else if (written != -EINTR) break;
  }
  line_size = 0;
}

void uart_put(char c) {
  line[line_size++] = c;
  if (c == '\n' || line_size == sizeof line) flush();
}

static void out_bytes(const char *bytes, u64 size) {
  for (u64 i = 0; i < size; i++) out_char(bytes[i]);
}

static void error(const char *what, long result) {
  out_text("INIT error=");
  out_text(what);
  out_char(' ');
  out_dec(-result);
  out_char('\n');
}

static long open_file(const char *path, long flags) {
  return call(SYS_openat, AT_FDCWD, PATH(path), flags, 0, 0);
}

/* Reads until `size` bytes, the end of the file, or an error. */
static long read_file(long file, char *to, u64 size) {
  u64 done = 0;
  while (done < size) {
    long got = call(SYS_read, file, (long)(to + done), size - done, 0, 0);
    if (got == -EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    done += got;
  }
  return done;
}

static char buffer[65536];

/* `INIT <name>=<first line of the file>` */
static void report_first_line(const char *name, const char *path) {
  long file = open_file(path, 0);
  long size = file < 0 ? file : read_file(file, buffer, sizeof buffer);
  if (size < 0) return error(path, size);
  u64 length = 0;
  while (length < (u64)size && buffer[length] != '\n') length++;
  out_text("INIT ");
  out_text(name);
  out_char('=');
  out_bytes(buffer, length);
  out_char('\n');
  call(SYS_close, file, 0, 0, 0, 0);
}

static void report_payload(void) {
  long file = open_file("/payload", 0);
  if (file < 0) return error("/payload", file);
  u64 size = 0;
  u32 crc = 0;
  for (;;) {
    long got = read_file(file, buffer, sizeof buffer);
    if (got < 0) return error("/payload", got);
    if (got == 0) break;
    crc = crc32_more(crc, buffer, got);
    size += got;
  }
  out_text("INIT payload.size=");
  out_dec(size);
  out_text("\nINIT payload.crc32=");
  out_hex32(crc);
  out_char('\n');
  call(SYS_close, file, 0, 0, 0, 0);
}

static int ends_with(const char *text, u64 size, const char *end, u64 end_size) {
  if (size < end_size) return 0;
  for (u64 i = 0; i < end_size; i++)
    if (text[size - end_size + i] != end[i]) return 0;
  return 1;
}

/* `40000000-7fffffff : System RAM`, indented when nested. Root sees the real addresses. */
static void report_iomem(void) {
  static const char name[] = " : System RAM";
  long file = open_file("/proc/iomem", 0);
  long size = file < 0 ? file : read_file(file, buffer, sizeof buffer);
  if (size < 0) return error("/proc/iomem", size);
  for (u64 start = 0; start < (u64)size;) {
    while (start < (u64)size && buffer[start] == ' ') start++;
    u64 end = start;
    while (end < (u64)size && buffer[end] != '\n') end++;
    if (ends_with(buffer + start, end - start, name, sizeof name - 1)) {
      out_text("INIT iomem=");
      out_bytes(buffer + start, end - start);
      out_char('\n');
    }
    start = end + 1;
  }
  call(SYS_close, file, 0, 0, 0, 0);
}

/* The kernel opens /dev/console for init only if the initramfs has it. */
static void open_console(void) {
  if (call(SYS_fcntl, 1, F_GETFD, 0, 0, 0) >= 0) return;
  call(SYS_mkdirat, AT_FDCWD, PATH("/dev"), 0755, 0, 0);
  long console = open_file("/dev/console", O_RDWR);
  if (console < 0) {
    call(SYS_mount, PATH("devtmpfs"), PATH("/dev"), PATH("devtmpfs"), 0, 0);
    call(SYS_mknodat, AT_FDCWD, PATH("/dev/console"), S_IFCHR | 0600, CONSOLE_DEVICE, 0);
    console = open_file("/dev/console", O_RDWR);
  }
  for (long file = 0; file < 3; file++)
    if (console != file) call(SYS_dup3, console, file, 0, 0, 0);
}

void init_main(void) {
  crc32_init();
  open_console();
  /* Kernel messages would mix with ours. Emergencies (a panic) still show. */
  call(SYS_syslog, SYSLOG_ACTION_CONSOLE_OFF, 0, 0, 0, 0);
  out_text("INIT begin\n");
  call(SYS_mkdirat, AT_FDCWD, PATH("/proc"), 0555, 0, 0);
  long mounted = call(SYS_mount, PATH("proc"), PATH("/proc"), PATH("proc"), 0, 0);
  if (mounted < 0) error("mount /proc", mounted);
  report_first_line("version", "/proc/version");
  report_first_line("cmdline", "/proc/cmdline");
  report_payload();
  report_iomem();
  out_text("INIT end\n");

  call(SYS_ioctl, 1, TCSBRK, 1, 0, 0);
  call(SYS_sync, 0, 0, 0, 0, 0);
#if defined(__x86_64__) || defined(__i386__)
  long command = LINUX_REBOOT_CMD_RESTART;
#else
  long command = LINUX_REBOOT_CMD_POWER_OFF;
#endif
  long result = call(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, 0, 0);
  error("reboot", result);
  /* Returning from PID 1 would be a fault; stay, the host's timeout ends it. */
  for (;;) call(SYS_read, 0, (long)buffer, 1, 0, 0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start: xorl %ebp, %ebp\n andq $-16, %rsp\n call init_main\n ud2");
#elif defined(__i386__)
__asm__(".globl _start\n_start: xorl %ebp, %ebp\n andl $-16, %esp\n call init_main\n ud2");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x29, #0\n bl init_main\n brk #0");
#else
__asm__(".globl _start\n_start: mv s0, zero\n call init_main\n ebreak");
#endif
