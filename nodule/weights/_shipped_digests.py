"""Which weights the package brings: a file that was changed or exchanged is never used."""

from __future__ import annotations

from types import MappingProxyType

SHIPPED_SHA256 = MappingProxyType(
    {
        "candidates.fold0": "95e70b3b3685cd9e445faec66442addd32a3f055007d2a03ad00ba369da3b99d",
        "candidates": "8d21a43b7bbf62f530f4a7f79d23fffbe7cd7e794eb434c3b6b6dad6b3f01abd",
        "lungs": "efcb3f5cccace88543f12a9737cc7e2d537c8606ab8c17ae89587b58b6d0026d",
        "malignancy.fold0.wide": "5c85d6607245612685272227b6dc7caedbbd881acfe14277358d23b7ee33f322",
        "malignancy.fold0": "ec6b8cbd9245d2787d3b928a5d7e66f1460412d7ee60e3c2e0e66ab7ea2d5254",
        "malignancy.fold1.wide": "0a3cd49ef27cc3210197fd62ed110318cd22cd7c9dc56b681c9c15c318ad736f",
        "malignancy.fold1": "7355d29d78df128f85915a1bdbc4fc24b8c04b35b95d784e4d1531d5e1b37807",
        "malignancy.fold2.wide": "3ca4c23774c11113f379c6bd203f8d69e7f287ee60cef32295e1dc100b8b2829",
        "malignancy.fold2": "6c6358f9380a87b59aba1514cb40d79ea15ff9254d7975e482d63e9f1e27ec8d",
        "malignancy.fold3": "cf7648c10d847c8ce45ce2ad6b5bd5b94e36e82fc4fff165d36c48b7afa75c8d",
        "malignancy.fold4.wide": "211cdba28667c6ca53211091c1a3ea2b12346fb4b967060d0563ee168c0084eb",
        "malignancy.fold4": "9b7fde1e440fac27b3b66e174115b137f35ef4ef856898e522998457c69711a5",
    }
)
