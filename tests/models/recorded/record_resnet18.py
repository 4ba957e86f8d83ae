"""Records the names and sizes of torchvision's resnet18, as torchvision_resnet18.hpp:

    /usr/bin/python3 record_resnet18.py > torchvision_resnet18.hpp
"""
import torchvision

print("// The state of torchvision.models.resnet18() in its order, name and number of elements: record_resnet18.py with")
print(f"// torchvision {torchvision.__version__} (0.14.1 of Debian 12). Do not edit by hand.")
print("#pragma once\n\n#include <utility>\n\nnamespace limn::recorded {\n\n// clang-format off")
print("inline constexpr std::pair<const char*, int> resnet18[] = {")
for name, value in torchvision.models.resnet18().state_dict().items():
    print(f'    {{"{name}", {value.numel()}}},')
print("};\n// clang-format on\n\n}  // namespace limn::recorded")
