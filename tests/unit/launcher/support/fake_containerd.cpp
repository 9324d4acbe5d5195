#include "tests/unit/launcher/support/fake_containerd.h"

#include <atomic>
#include <chrono>
#include <utility>

namespace test {

/// One call, from its first request to its end.
class FakeContainerd::Reactor final : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(FakeContainerd& owner, std::string method) : owner_(&owner), method_(std::move(method)) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return finish(grpc::Status::OK);
    ++requests_;
    std::function<void()> on_hang;
    {
      const std::scoped_lock lock(owner_->mutex_);
      const auto fault = owner_->faults_.find(method_);
      if (!owner_->hangs_ && method_ == owner_->hanging_method_) {
        owner_->hangs_ = true;
        on_hang = owner_->on_hang_;
      }
      if (owner_->hangs_ && !on_hang) return;
      if (!on_hang && fault != owner_->faults_.end() && fault->second.request == requests_) {
        return finish(fault->second.status);
      }
    }
    if (on_hang) return on_hang();
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (ok) StartRead(&request_);
  }
  void OnCancel() override { finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void finish(const grpc::Status& status) {
    if (!finished_.exchange(true)) Finish(status);
  }

  FakeContainerd* owner_;
  std::string method_;
  grpc::ByteBuffer request_;
  const grpc::Slice nothing_;
  const grpc::ByteBuffer response_{&nothing_, 1};
  int requests_ = 0;
  std::atomic<bool> finished_ = false;
};

class FakeContainerd::Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(FakeContainerd& owner) : owner_(&owner) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    const std::string& full = context->method();
    std::string method = full.substr(full.rfind('.') + 1);
    {
      const std::scoped_lock lock(owner_->mutex_);
      ++owner_->calls_[method];
    }
    return new Reactor(*owner_, std::move(method));
  }

 private:
  FakeContainerd* owner_;
};

FakeContainerd::FakeContainerd() : service_(std::make_unique<Service>(*this)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix://" + socket().string(), grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(service_.get());
  server_ = builder.BuildAndStart();
}

FakeContainerd::~FakeContainerd() { server_->Shutdown(std::chrono::system_clock::now()); }

void FakeContainerd::end(const std::string& method, const grpc::Status& status, int request) {
  const std::scoped_lock lock(mutex_);
  faults_[method] = {status, request};
}

void FakeContainerd::hang(const std::string& method, std::function<void()> on_hang) {
  const std::scoped_lock lock(mutex_);
  hanging_method_ = method;
  on_hang_ = std::move(on_hang);
}

int FakeContainerd::calls(const std::string& method) const {
  const std::scoped_lock lock(mutex_);
  const auto found = calls_.find(method);
  return found == calls_.end() ? 0 : found->second;
}

}  // namespace test
