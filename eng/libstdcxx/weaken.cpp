// weaken FILE VERSION: marks a symbol version that an ELF shared library needs (say GLIBCXX_3.4.32) as weak, so that
// the loader accepts a runtime that lacks it. See install.sh for why.
#include <elf.h>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

int main(int argc, char** argv) {
    if (argc != 3) { std::fprintf(stderr, "usage: weaken FILE VERSION\n"); return 2; }
    std::ifstream in(argv[1], std::ios::binary);
    std::vector<char> file((std::istreambuf_iterator<char>(in)), {});
    if (file.size() < sizeof(Elf64_Ehdr) || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
        std::fprintf(stderr, "%s is no ELF file\n", argv[1]);
        return 1;
    }
    auto* header = reinterpret_cast<Elf64_Ehdr*>(file.data());
    auto* sections = reinterpret_cast<Elf64_Shdr*>(file.data() + header->e_shoff);
    int weakened = 0;
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_GNU_verneed) continue;
        const char* names = file.data() + sections[sections[i].sh_link].sh_offset;
        char* at = file.data() + sections[i].sh_offset;
        for (auto* need = reinterpret_cast<Elf64_Verneed*>(at);;
             need = reinterpret_cast<Elf64_Verneed*>(reinterpret_cast<char*>(need) + need->vn_next)) {
            char* entry = reinterpret_cast<char*>(need) + need->vn_aux;
            for (int k = 0; k < need->vn_cnt; k++) {
                auto* version = reinterpret_cast<Elf64_Vernaux*>(entry);
                if (std::strcmp(names + version->vna_name, argv[2]) == 0) {
                    version->vna_flags |= VER_FLG_WEAK;
                    weakened++;
                }
                entry += version->vna_next;
            }
            if (need->vn_next == 0) break;
        }
    }
    if (weakened == 0) { std::fprintf(stderr, "%s needs no %s\n", argv[1], argv[2]); return 1; }
    std::ofstream(argv[1], std::ios::binary).write(file.data(), static_cast<std::streamsize>(file.size()));
    return 0;
}
