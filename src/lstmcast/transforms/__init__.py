"""Transforms: exact, reversible, and fitted only to the training part."""

from lstmcast.transforms.base import Transform as Transform
from lstmcast.transforms.chain import AnyTransform as AnyTransform
from lstmcast.transforms.chain import Applied as Applied
from lstmcast.transforms.chain import Chain as Chain
from lstmcast.transforms.chain import ChainState as ChainState
from lstmcast.transforms.differencing import Difference as Difference
from lstmcast.transforms.per_series import AppliedTransforms as AppliedTransforms
from lstmcast.transforms.per_series import Transforms as Transforms
from lstmcast.transforms.per_series import TransformsState as TransformsState
from lstmcast.transforms.scaling import MeanAbs as MeanAbs
from lstmcast.transforms.scaling import MinMax as MinMax
from lstmcast.transforms.scaling import Robust as Robust
from lstmcast.transforms.scaling import Standard as Standard
from lstmcast.transforms.stabilising import BoxCox as BoxCox
from lstmcast.transforms.stabilising import Log1p as Log1p
from lstmcast.transforms.stabilising import Logit as Logit
