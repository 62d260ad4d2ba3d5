// The one function that TorchSharp's native library takes from GCC 13's C++ runtime. There it initialises the
// standard streams; in older runtimes <iostream> itself does so in every object file, and nothing is left to do.
namespace std { void ios_base_library_init() {} }
