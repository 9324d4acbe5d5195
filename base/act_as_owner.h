#pragma once

#include <filesystem>
#include <sys/types.h>

namespace base {

/// While it lives, a process that is root's acts as a folder's owner: it can do no more to files than he, and what it
/// writes is his. Changes nothing for another user, and for a folder that is root's. For programs of one thread.
class ActAsOwner {
 public:
  /// Of `directory`, or of the nearest folder above it that there is. Throws SystemError.
  explicit ActAsOwner(std::filesystem::path directory);
  ~ActAsOwner();
  ActAsOwner(const ActAsOwner&) = delete;
  ActAsOwner& operator=(const ActAsOwner&) = delete;

 private:
  bool acts_ = false;
};

}  // namespace base
