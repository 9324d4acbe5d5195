#include "csctl/reference/document_file.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace csctl {
namespace {

constexpr mode_t kReadableByAll = 0644;
constexpr mode_t kPermissions = 0777;

mode_t mode_of_new_file() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return kReadableByAll & ~mask;
}

}  // namespace

void write_document(const std::string& path, base::ByteView content) {
  struct stat status {};
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  if (is_there && !S_ISREG(status.st_mode)) throw base::InvalidInput(path, "is no regular file");
  const std::filesystem::path file = is_there ? std::filesystem::canonical(path) : std::filesystem::absolute(path);
  const base::FileDescriptor folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) throw base::SystemError("opening " + file.parent_path().string(), errno);
  base::replace_file(folder, file.filename(), content, is_there ? status.st_mode & kPermissions : mode_of_new_file());
  const bool is_anothers = is_there && (status.st_uid != ::geteuid() || status.st_gid != ::getegid());
  if (is_anothers && ::fchownat(folder.get(), file.filename().c_str(), status.st_uid, status.st_gid, 0) != 0) {
    throw base::SystemError("giving " + file.string() + " back to its owner", errno);
  }
}

std::string signature_file_of(const std::string& document) { return document + ".sig"; }

}  // namespace csctl
