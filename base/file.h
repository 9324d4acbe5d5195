#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/bytes.h"

namespace base {

/// A file descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  int get() const noexcept { return fd_; }
  int release() noexcept;

 private:
  int fd_ = -1;
};

/// The whole file; throws SystemError, or InvalidInput when it is longer than `max_bytes` or no regular file: to open a
/// FIFO would block, to read a device would act on it.
Bytes read_file(const std::filesystem::path& path, std::size_t max_bytes);
std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes);

/// Writes everything to an open file, which errors call `name`. Throws SystemError.
void write_all(int fd, ByteView content, const std::string& name);

/// Opens the folder `path`, made with `mode` if it is absent. Refuses a symbolic link, anything but a folder, and a
/// folder that is another user's or that others may write to.
FileDescriptor open_private_directory(const std::filesystem::path& path, mode_t mode);

/// Takes the only lock on an open folder, kept as long as `directory` lives. False: another process holds it.
bool lock_directory(const FileDescriptor& directory);

/// The same, and waits for a process that holds it, which must be one that does not keep it.
void wait_for_directory_lock(const FileDescriptor& directory);

/// Replaces `name` in `directory` in one step: a reader sees the old file or the new one, whole. What stands at `name`
/// (a link, a FIFO) is replaced, never followed. On failure the old file stays and nothing is left behind.
void replace_file(const FileDescriptor& directory, const std::string& name, ByteView content, mode_t mode);

}  // namespace base
