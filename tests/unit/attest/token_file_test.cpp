#include "attest/token_file.h"

#include <atomic>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/temporary_directory.h"

namespace fs = std::filesystem;
using attest::TokenFile;

namespace {

// The linker sends these calls of this program here (see CMakeLists.txt), so that each can be made to fail.
enum class Call { kNone, kWrite, kFsync, kRename };
Call failing_call = Call::kNone;
int failing_errno = 0;

bool fails(Call call) {
  if (call != failing_call) return false;
  errno = failing_errno;
  return true;
}

}  // namespace

extern "C" {
ssize_t __real_write(int fd, const void* data, size_t size);
ssize_t __wrap_write(int fd, const void* data, size_t size) {
  return fails(Call::kWrite) ? -1 : __real_write(fd, data, size);
}
int __real_fsync(int fd);
int __wrap_fsync(int fd) { return fails(Call::kFsync) ? -1 : __real_fsync(fd); }
int __real_renameat(int from_dir, const char* from, int to_dir, const char* to);
int __wrap_renameat(int from_dir, const char* from, int to_dir, const char* to) {
  return fails(Call::kRename) ? -1 : __real_renameat(from_dir, from, to_dir, to);
}
}

namespace {

TokenFile file_in(const fs::path& directory) {
  return TokenFile(std::make_shared<const base::FileDescriptor>(base::open_private_directory(directory, 0755)));
}

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a write that fails leaves the old token and nothing else (T 20)") {
  const test::TemporaryDirectory directory;
  const TokenFile file = file_in(directory.path() / "d");
  const fs::path path = directory.path() / "d" / TokenFile::kName;
  file.write("old");
  for (const Call call : {Call::kWrite, Call::kFsync, Call::kRename}) {
    for (const int code : {ENOSPC, EROFS, EIO}) {
      failing_call = call;
      failing_errno = code;
      int seen = 0;
      try {
        file.write("new");
      } catch (const base::SystemError& error) {
        seen = error.code();
      }
      failing_call = Call::kNone;
      CHECK(seen == code);
      CHECK(base::read_text_file(path, 100) == "old");
      CHECK(entries(path.parent_path()) == 1);
    }
  }
  file.write("new");
  CHECK(base::read_text_file(path, 100) == "new");
}

TEST_CASE("a reader in a loop sees only whole tokens (T 20)") {
  const test::TemporaryDirectory directory;
  const TokenFile file = file_in(directory.path() / "d");
  const fs::path path = directory.path() / "d" / TokenFile::kName;
  const std::string a(20000, 'a');
  const std::string b(30000, 'b');
  file.write(a);
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::atomic<int> reads = 0;
  std::thread reader([&] {
    while (!stop) {
      const std::string text = base::read_text_file(path, 1 << 20);
      if (text != a && text != b) ++torn;
      ++reads;
    }
  });
  for (int i = 0; i < 200; ++i) file.write(i % 2 == 0 ? b : a);
  while (reads < 200) std::this_thread::yield();
  stop = true;
  reader.join();
  CHECK(torn == 0);
}

TEST_CASE("a file system that is really full or read-only (T 20)") {
  if (test::skips_without_root()) return;
  const test::TemporaryDirectory directory;
  const fs::path mounted = directory.path() / "small";
  fs::create_directory(mounted);
  const bool is_mounted = ::mount("tmpfs", mounted.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0755") == 0;
  if (test::skips(is_mounted ? "" : "this machine does not let us mount a tmpfs")) return;
  {
    const TokenFile file = file_in(mounted);
    file.write("old");
    CHECK_THROWS_WITH(file.write(std::string(200000, 'x')), ContainsSubstring("No space left"));
    CHECK(base::read_text_file(mounted / TokenFile::kName, 100) == "old");
    CHECK(entries(mounted) == 1);
    REQUIRE(::mount("tmpfs", mounted.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    CHECK_THROWS_WITH(file.write("new"), ContainsSubstring("Read-only"));
    CHECK(base::read_text_file(mounted / TokenFile::kName, 100) == "old");
  }
  ::umount2(mounted.c_str(), MNT_DETACH);
}

TEST_CASE("a token is taken away whole, and twice is no error") {
  const test::TemporaryDirectory directory;
  const TokenFile file = file_in(directory.path() / "d");
  file.write("token");
  file.remove();
  CHECK(entries(directory.path() / "d") == 0);
  CHECK_NOTHROW(file.remove());
}
