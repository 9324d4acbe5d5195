#include "base/file.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/error.h"

namespace base {
namespace {

constexpr std::size_t kReadChunk = std::size_t{64} << 10U;

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

int FileDescriptor::release() noexcept { return std::exchange(fd_, -1); }

Bytes read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.get() < 0) throw SystemError("opening " + path.string(), errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw SystemError("inspecting " + path.string(), errno);
  if (!S_ISREG(status.st_mode)) throw InvalidInput(path.string(), "is not a regular file");
  Bytes content;
  for (;;) {
    const std::size_t had = content.size();
    content.resize(had + kReadChunk);
    const ssize_t got = ::read(file.get(), content.data() + had, kReadChunk);
    if (got < 0 && errno != EINTR) throw SystemError("reading " + path.string(), errno);
    content.resize(had + static_cast<std::size_t>(got < 0 ? 0 : got));
    if (content.size() > max_bytes) {
      throw InvalidInput(path.string(), "longer than " + std::to_string(max_bytes) + " bytes");
    }
    if (got == 0) return content;
  }
}

std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Bytes content = read_file(path, max_bytes);
  return std::string(text_of(content));
}

void write_all(int fd, ByteView content, const std::string& name) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw SystemError("writing " + name, errno);
    content = content.subspan(static_cast<std::size_t>(written));
  }
}

FileDescriptor open_private_directory(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) throw SystemError("making " + path.string(), errno);
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory.get() < 0) throw SystemError("opening " + path.string(), errno);
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0) throw SystemError("inspecting " + path.string(), errno);
  if (status.st_uid != ::geteuid()) throw Error(path.string() + " belongs to another user");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) throw Error(path.string() + " may be written to by other users");
  return directory;
}

bool lock_directory(const FileDescriptor& directory) {
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  throw SystemError("locking a folder", errno);
}

void wait_for_directory_lock(const FileDescriptor& directory) {
  while (::flock(directory.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw SystemError("locking a folder", errno);
  }
}

void replace_file(const FileDescriptor& directory, const std::string& name, ByteView content, mode_t mode) {
  const std::string temporary = "." + name + ".new";
  // Only the owner may write to the directory, so what stands under the temporary name is a leftover of our own.
  if (::unlinkat(directory.get(), temporary.c_str(), 0) != 0 && errno != ENOENT) {
    throw SystemError("removing an old " + temporary, errno);
  }
  const FileDescriptor file(
      ::openat(directory.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) throw SystemError("creating " + temporary, errno);
  try {
    write_all(file.get(), content, temporary);
    if (::fchmod(file.get(), mode) != 0) throw SystemError("setting the mode of " + temporary, errno);
    if (::fsync(file.get()) != 0) throw SystemError("syncing " + temporary, errno);
    if (::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) != 0) {
      throw SystemError("renaming " + temporary + " to " + name, errno);
    }
  } catch (const SystemError&) {
    ::unlinkat(directory.get(), temporary.c_str(), 0);
    throw;
  }
}

}  // namespace base
