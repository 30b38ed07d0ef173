// The headers of uploaded pictures.
#include "Fuzz.h"
#include "characters/AvatarImage.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const auto facts = companion::characters::readImageFacts(companion::fuzz::bytesOf(data, size));
    companion::fuzz::must(!facts
                              || (facts->width >= 0 && facts->height >= 0 && facts->contentType.startsWith(u"image/")),
                          "a picture has a size and a type");
    return 0;
}
