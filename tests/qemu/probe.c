// What a workload might try against the machine that runs it. Prints a line for each thing that it could do,
// and "probed" at the end; no line but that is the good outcome.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static void could(const char* what, int done) {
  if (done) printf("could %s\n", what);
}

static int opens(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

static int connects(const char* name, size_t length) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, name, length);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  const int done = connect(fd, (struct sockaddr*)&address, size) == 0;
  close(fd);
  return done;
}

// Every abstract socket that the kernel lists here; the network namespace, and with it these, is the machine's.
static void try_abstract_sockets(void) {
  FILE* table = fopen("/proc/net/unix", "re");
  char line[512];
  while (table != NULL && fgets(line, sizeof line, table) != NULL) {
    char* name = strchr(line, '@');
    if (name == NULL) continue;
    name[strcspn(name, "\n")] = '\0';
    char shown[512];
    snprintf(shown, sizeof shown, "connect to %s", name);
    const size_t length = strlen(name);
    name[0] = '\0';
    could(shown, connects(name, length));
  }
  if (table != NULL) fclose(table);
}

static int makes_device(unsigned major_number, unsigned minor_number, mode_t kind) {
  const char* path = "/tmp/device";
  if (mknod(path, kind | 0600, makedev(major_number, minor_number)) != 0) return 0;
  const int done = opens(path, O_RDWR);
  unlink(path);
  return done;
}

int main(void) {
  could("write below /proc/sys", opens("/proc/sys/kernel/panic", O_WRONLY));
  could("write /proc/sysrq-trigger", opens("/proc/sysrq-trigger", O_WRONLY));
  could("write below /sys/fs/cgroup", mkdir("/sys/fs/cgroup/mine", 0700) == 0);
  could("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0);
  could("make a user namespace", unshare(CLONE_NEWUSER) == 0);
  could("use the kernel's key rings", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1) >= 0);
  could("add a key", syscall(SYS_add_key, "user", "mine", "x", 1UL, KEY_SPEC_PROCESS_KEYRING) >= 0);
  could("talk to containerd", connects("/run/containerd/containerd.sock", sizeof "/run/containerd/containerd.sock"));
  could("talk to the service manager", connects("/run/systemd/private", sizeof "/run/systemd/private"));
  try_abstract_sockets();
  could("open /dev/tpm0", opens("/dev/tpm0", O_RDWR));
  could("open /dev/tpmrm0", opens("/dev/tpmrm0", O_RDWR));
  could("make and open the TPM's device", makes_device(10, 224, S_IFCHR));
  could("make and open the device mapper's device", makes_device(10, 236, S_IFCHR));
  could("make and open the root's disk", makes_device(254, 0, S_IFBLK) || makes_device(253, 0, S_IFBLK));
  could("write in the shared folder", opens("/run/container_launcher/mine", O_CREAT | O_WRONLY));
  could("rename in the shared folder",
        rename("/run/container_launcher/attestation_verifier_claims_token", "/run/container_launcher/mine") == 0);
  could("remove from the shared folder", unlink("/run/container_launcher/teeserver.sock") == 0);
  for (int fd = 3; fd < 256; ++fd) could("use an inherited descriptor", fcntl(fd, F_GETFD) >= 0);
  could("load kernel modules", syscall(SYS_finit_module, 0, "", 0) == 0 || errno == EBADF || errno == ENOEXEC);
  could("reboot", syscall(SYS_reboot, 0, 0, 0, NULL) == 0 || errno == EINVAL);
  could("see the kernel's log", opens("/dev/kmsg", O_RDONLY));
  puts("probed");
  return 0;
}
