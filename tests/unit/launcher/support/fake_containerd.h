#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "tests/unit/support/temporary_directory.h"

namespace test {

/// A containerd that answers each request of each call with an empty message, unless it is told to do something else.
/// Methods are named "Content/Write".
class FakeContainerd {
 public:
  FakeContainerd();
  ~FakeContainerd();
  FakeContainerd(const FakeContainerd&) = delete;
  FakeContainerd& operator=(const FakeContainerd&) = delete;

  std::filesystem::path socket() const { return directory_.path() / "socket"; }

  /// Ends each call of `method` with `status` instead of an answer to its request number `request`, the first being 1.
  void end(const std::string& method, const grpc::Status& status, int request = 1);
  /// Lets `method` hang at its first request, and every other call from then on. `on_hang` runs once, on a thread of
  /// the server's.
  void hang(const std::string& method, std::function<void()> on_hang);
  int calls(const std::string& method) const;

 private:
  class Service;
  class Reactor;
  struct Fault {
    grpc::Status status;
    int request;
  };

  TemporaryDirectory directory_;
  mutable std::mutex mutex_;
  std::map<std::string, Fault> faults_;
  std::map<std::string, int> calls_;
  std::string hanging_method_;
  std::function<void()> on_hang_;
  bool hangs_ = false;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace test
