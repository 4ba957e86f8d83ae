#include "limn/models/resnet.hpp"
using namespace limn;

int main() {
  const models::ResNet18<Cpu, 1, 2> net;
  return static_cast<int>(parameter_count(at<"layer4.1.conv2">(net)));
}
