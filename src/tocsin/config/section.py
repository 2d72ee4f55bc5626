"""What every section of the settings is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A part of the settings; an unknown name in it is an error, not a wish unheard."""

    model_config = ConfigDict(extra="forbid", frozen=True)
