#include "csctl/reference/document_file.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"

namespace csctl {

void write_document(const std::string& path, base::ByteView content) {
  constexpr mode_t kReadableByAll = 0644;
  constexpr mode_t kPermissions = 0777;
  struct stat status {};
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  const std::filesystem::path file = is_there ? std::filesystem::canonical(path) : std::filesystem::absolute(path);
  const base::FileDescriptor folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) throw base::SystemError("opening " + file.parent_path().string(), errno);
  const mode_t mode = is_there ? status.st_mode & kPermissions : kReadableByAll;
  base::replace_file(folder, file.filename(), content, mode);
}

std::string signature_file_of(const std::string& document) { return document + ".sig"; }

}  // namespace csctl
