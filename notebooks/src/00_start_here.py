# %% [markdown] slideshow={"slide_type": "slide"}
# # 00 · Start here
#
# **One model, several goals. A site wants the click *and* the finished video; a shop wants the click *and* the sale. Should one network learn
# both, and if so, how much of it should they share?**
#
# This course answers by experiment. Every chapter poses a question, lets you guess, runs the experiment in front of you, over several
# random seeds and with 95 % intervals, and then says what follows, also when nothing follows.
#
# In this notebook you check that your computer is ready, see where the journey goes, look at a trained mixture of experts for two
# minutes, and find every term of the course, in English and 中文.
#
# <details lang="zh">
# <summary>中文</summary>
#
# **一个模型，多个目标。视频网站既要点击，也要看完；商店既要点击，也要成交。该让一个网络同时学两个目标吗？又该共享多少？**
#
# 本课程用实验来回答：每一章提出一个问题，先请你猜，再当场做实验（多个随机种子，95 % 置信区间），最后说明能得出什么结论；
# 得不出结论时，也照实说。
#
# 在这个笔记本里，你将检查电脑是否就绪，了解课程的路线，用两分钟观察一个训练好的混合专家模型，并查到全部术语的中英文对照。
# 设置环境变量 `MTL_LANG=zh`（或在笔记本中先运行 `%env MTL_LANG=zh`）后，所有控件都显示中文。
#
# </details>

# %% [markdown]
# ## Is this computer ready?
#
# Run the next cell (Shift+Enter). Every line should say **OK**. A line that says **FAIL** tells you what to do about it.

# %%
from mtl_helpers.check import report

ready = report()
ready

# %%
from mtl_helpers.study import claim

claim(
    "This computer can run the course.",
    ready.ok,
    f"{len(ready)} things looked at, {sum(not each.ok for each in ready)} to mend",
)

# %% [markdown]
# The last line looks at something easily overlooked: some versions of Keras (3.5.0 and 3.14.0, as their issues report) gave one output the loss or
# the metric of another without a word. The check asks for two outputs with known, different losses and looks whether each gets its own.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## The map
#
# Chapters stand on their own feet; each says at its start what it takes for granted. The table is read from the notebooks beside this
# one.

# %%
import json
import re
from pathlib import Path

from IPython.display import Markdown, display

rows = []
for path in sorted(Path().glob("[0-9][0-9]_*.ipynb")):
    cells = [c for c in json.loads(path.read_text("utf8"))["cells"] if c["cell_type"] == "markdown"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    title = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
    minutes = re.search(r"^## Minutes\n+(.+)$", text, re.MULTILINE)
    rows.append(f"| [{title}]({path.name}) | {minutes[1].rstrip('.') if minutes else '10 to read'} |")
display(Markdown("\n".join(["| chapter | minutes |", "|---|---|", *rows])))

# %% [markdown]
# How to read: **predict, run, explain.** Before a result there is a question; write down a guess before you run the cell. Exercises check
# themselves: the first wrong answer gets a hint, the second the reason. Nothing stops if you leave one out. Solutions are in the folder
# `solutions`. At the end of this notebook you can see which ones you have solved.
#
# A sentence with a ✅ is a claim that the notebook has just checked against its own numbers. "Better" always means: over paired seeds,
# the 95 % interval of the difference excludes zero. Otherwise we say *tie*.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## A taste, in two minutes
#
# Of people whom the US Census Bureau asked in 1994 and 1995, can one network tell from a person's work, household and origin whether they earn
# more than 50,000 dollars **and** whether they were never married? Chapter 06 trains an *MMoE* for that: eight small networks, the *experts*, and for each
# task a *gate* that decides, for every single person, how much of which expert that task uses. Here is a recorded training.
#
# **Before you look:** at the start, how will a gate split its weight over the eight experts? And at the end, will both tasks use the same
# experts?

# %%
from mtl_helpers import plots
from mtl_helpers.gates import GateRecord
from mtl_helpers.recording import recorded

kept = recorded("census_gates")
gates = GateRecord.from_json(json.dumps(kept["results"]))
print(f"{gates.model}: {len(gates.seeds)} seeds, {gates.epochs[-1]} epochs; made by: {kept['command']}")

# %%
group = gates.groups.index("women, 40–59")
figure = plots.gate_weights_over_epochs(gates, group=group)
plots.show(
    figure,
    alt="Gate weights of the eight experts over twelve epochs, a panel for each of the two tasks, for women of 40 to 59. "
    "All start near one eighth and drift apart; the two tasks end with different favourites.",
)

# %% [markdown]
# These are women of 40 to 59 in the first of the eight seeds; a band is an expert, named where it is wide enough.
#
# Now with your own hand. Move the epoch, choose other people, hover over a band for its number, switch an expert off: the band's width is
# how much the gate listens to that expert. (Without a running kernel you see a picture of it.)

# %%
from mtl_helpers.widgets import GateExplorer

GateExplorer(gates)

# %% [markdown]
# Both gates start close to one eighth for every expert, for their weights are random and small. Then they take sides. Do they take the same
# side? We add up, expert by expert, the weight that *both* gates give it: 1 if they agree on everything, 0 if they share no expert.

# %%
import numpy as np

income, married = np.moveaxis(gates.levels[0].weights, 2, 0)  # seeds, epochs, groups, experts
common = np.minimum(income, married).sum(axis=-1).mean(axis=(0, 2))
same = (income[:, -1].argmax(axis=-1) == married[:, -1].argmax(axis=-1)).mean()
claim(
    "In training the weight that both tasks lay on the same experts falls by more than half.",
    common[-1] < common[0] / 2,
    f"{common[0]:.2f} at the start, {common[-1]:.2f} at the end; the same favourite in {100 * same:.0f} % of the cases, by lot in 12.5 %",
)

# %% [markdown]
# Whether that makes the predictions better is another question, and the honest answer is part of chapter 06.

# %% [markdown]
# ## Glossary · 术语表
#
# | English | 中文 | what it is | chapter |
# |---|---|---|---|
# | task | 任务 | one thing to predict; here one output of the model, with its own label, loss and metric | [01](01_many_objectives_one_model.ipynb) |
# | multi-task learning | 多任务学习 | one model learns several tasks from shared parts | [01](01_many_objectives_one_model.ipynb) |
# | main task, auxiliary task | 主任务、辅助任务 | the task that is wanted; one that is there to help it | [01](01_many_objectives_one_model.ipynb), [03](03_why_sharing_helps.ipynb) |
# | single-task model | 单任务模型 | one network a task, nothing shared: the baseline | [01](01_many_objectives_one_model.ipynb) |
# | transfer learning | 迁移学习 | what was learned on one task is used for another, later | [01](01_many_objectives_one_model.ipynb) |
# | source domain, target domain | 源域、目标域 | where a transferred model was learned, and where it is used | [01](01_many_objectives_one_model.ipynb) |
# | multi-label, multi-class | 多标签、多分类 | several labels true at once; one of several classes | [01](01_many_objectives_one_model.ipynb) |
# | impression, click, conversion | 曝光、点击、转化 | an item is shown; it is clicked; the click leads to a purchase | [01](01_many_objectives_one_model.ipynb), [04](04_click_and_pay.ipynb) |
# | clickbait | 标题党 | promises that earn the click and break it | [01](01_many_objectives_one_model.ipynb) |
# | inductive bias | 归纳偏置（也有译作归约偏置、推导偏差） | what makes a model prefer some explanations to others; a second task can be one | [01](01_many_objectives_one_model.ipynb), [03](03_why_sharing_helps.ipynb) |
# | inductive transfer | 归纳迁移（也有译作归约迁移、推导迁移） | what one task learned biases another: before it, or beside it | [01](01_many_objectives_one_model.ipynb), [03](03_why_sharing_helps.ipynb) |
# | sample weight | 样本权重 | how much a row counts in the loss | [01](01_many_objectives_one_model.ipynb) |
# | gradient-boosted trees | 梯度提升树 | many small decision trees, each mending what the others left | [01](01_many_objectives_one_model.ipynb) |
# | learning to rank | 排序学习 | learns the order of a list, from pairs or whole lists | [01](01_many_objectives_one_model.ipynb) |
# | NDCG | 归一化折损累计增益 | how good the top of a ranked list is, against the best order | [01](01_many_objectives_one_model.ipynb) |
# | score fusion | 分数融合 | one ranking from several scores, by a sum or a product of powers | [01](01_many_objectives_one_model.ipynb), [07](07_ple_and_the_seesaw.ipynb) |
# | hard sharing, shared bottom | 参数硬共享（硬共享） | all tasks read the same hidden layers | [02](02_hard_and_soft_sharing.ipynb) |
# | soft sharing | 参数软共享（软共享） | a network a task, with a penalty on how far their weights are apart | [02](02_hard_and_soft_sharing.ipynb) |
# | cross-stitch | 十字绣网络 | a network a task, whose layers exchange learned shares of their outputs | [02](02_hard_and_soft_sharing.ipynb) |
# | negative transfer | 负迁移 | sharing makes a task worse than learning it alone | [02](02_hard_and_soft_sharing.ipynb), [07](07_ple_and_the_seesaw.ipynb) |
# | shared representation | 共享表示 | what the shared layers make of the input | [02](02_hard_and_soft_sharing.ipynb), [03](03_why_sharing_helps.ipynb) |
# | control | 对照 | the same experiment without the one thing it is about | [03](03_why_sharing_helps.ipynb) |
# | implicit data augmentation | 隐式数据增加 | the noise of several tasks averages out | [03](03_why_sharing_helps.ipynb) |
# | attention focusing | 注意力机制（注意力聚焦） | other tasks show which inputs matter; not the attention layers of transformers | [03](03_why_sharing_helps.ipynb) |
# | eavesdropping, hint | 窃听、提示 | a task learns through another what it could hardly learn itself | [03](03_why_sharing_helps.ipynb) |
# | representation bias | 表征偏置 | shared layers prefer what serves several tasks, new ones too | [03](03_why_sharing_helps.ipynb) |
# | hypothesis space | 假设空间 | all functions that a model could become | [03](03_why_sharing_helps.ipynb) |
# | regularisation | 正则化 | what keeps a model from fitting noise | [02](02_hard_and_soft_sharing.ipynb), [03](03_why_sharing_helps.ipynb) |
# | Rademacher complexity | Rademacher 复杂度 | how well a set of models can fit labels drawn by coin | [03](03_why_sharing_helps.ipynb) |
# | tower | 塔 | the layers that belong to one task alone | [02](02_hard_and_soft_sharing.ipynb), [06](06_mmoe_and_its_gates.ipynb) |
# | two-tower network | 双塔网络 | one tower for the user, one for the item | [04](04_click_and_pay.ipynb) |
# | click-through rate, pCTR | 点击率 | share of impressions that are clicked; its prediction | [04](04_click_and_pay.ipynb) |
# | conversion rate, pCVR | 转化率、点击转化率 | share of clicks that convert; its prediction | [04](04_click_and_pay.ipynb) |
# | pCTCVR | 点击且转化的概率 | probability that an impression is clicked and converts: pCTR · pCVR | [04](04_click_and_pay.ipynb) |
# | ESMM | 全空间多任务模型 | learns the conversion rate from all impressions, as pCTCVR over pCTR | [04](04_click_and_pay.ipynb) |
# | selection bias | 样本选择偏差 | the rows one learns from are not the rows one predicts for | [04](04_click_and_pay.ipynb) |
# | factorization machine (FM) | 因子分解机 | every pair of features interacts through two short vectors | [05](05_from_fm_to_deepfm.ipynb) |
# | DeepFM | 深度因子分解机 | an FM and a deep network on the same embeddings | [05](05_from_fm_to_deepfm.ipynb) |
# | embedding | 嵌入、隐向量 | a learned vector for a category | [05](05_from_fm_to_deepfm.ipynb) |
# | focal loss | 焦点损失 | cross-entropy that turns down rows already predicted well | [05](05_from_fm_to_deepfm.ipynb) |
# | learning-rate annealing | 学习率退火 | the step size shrinks during training | [05](05_from_fm_to_deepfm.ipynb) |
# | calibration | 校准 | of rows given 30 %, do 30 % come true? | [05](05_from_fm_to_deepfm.ipynb) |
# | expert | 专家网络 | one of several small networks that are mixed | [06](06_mmoe_and_its_gates.ipynb) |
# | gate | 门控网络（门网络） | a softmax that says how much of each expert a task gets, row by row | [06](06_mmoe_and_its_gates.ipynb) |
# | MMoE | 多门混合专家模型 | shared experts, a gate a task | [06](06_mmoe_and_its_gates.ipynb) |
# | gate collapse | 门控坍缩 | the gates use few of the experts, whatever the row; the others are dead | [06](06_mmoe_and_its_gates.ipynb) |
# | entropy of a gate | 门控熵 | how evenly a gate spreads its weight; 0 if on one expert | [06](06_mmoe_and_its_gates.ipynb) |
# | load, load balancing | 负载、负载均衡 | the share of all gate weight that an expert gets; a penalty on uneven shares | [06](06_mmoe_and_its_gates.ipynb) |
# | gate dropout | 门控丢弃 | experts are taken from a gate at random while it trains | [06](06_mmoe_and_its_gates.ipynb) |
# | CGC, PLE | 定制门控、渐进式分层提取 | experts of each task's own beside shared ones; several levels of them | [07](07_ple_and_the_seesaw.ipynb) |
# | seesaw | 跷跷板现象 | what one task gains, the other loses | [07](07_ple_and_the_seesaw.ipynb) |
# | swing | 摆幅 | how far a seesaw moves while the loss weight does; a word of this course | [07](07_ple_and_the_seesaw.ipynb) |
# | loss weight, loss balancing | 损失权重、损失平衡 | how much a task's loss counts in the sum; a rule that sets it | [04](04_click_and_pay.ipynb), [08](08_balancing_losses.ipynb) |
# | Pareto front, to dominate | 帕累托前沿、支配 | models that no other dominates: none is as good at every task and better at one | [08](08_balancing_losses.ipynb) |
# | uncertainty weighting | 不确定性加权 | each task's noise is learned beside the network; a noisy task weighs less | [08](08_balancing_losses.ipynb) |
# | dynamic weight average | 动态权重平均 | a task whose loss falls slowly gets more weight | [08](08_balancing_losses.ipynb) |
# | GradNorm, PCGrad | 梯度归一化、梯度投影 | balance the sizes, or remove the conflicts, of the tasks' gradients | [08](08_balancing_losses.ipynb) |
# | named-entity recognition | 命名实体识别 | find and type the names in a sentence | [09](09_entities_and_relations.ipynb) |
# | token | 词元 | a word or piece of one, as a number | [09](09_entities_and_relations.ipynb) |
# | position embedding | 位置嵌入 | a learned vector for the distance to an entity | [09](09_entities_and_relations.ipynb) |
# | label leakage | 标签泄漏 | an input gives the label away | [04](04_click_and_pay.ipynb), [09](09_entities_and_relations.ipynb) |
# | relation classification | 关系分类 | say how two marked entities are related | [09](09_entities_and_relations.ipynb) |
# | conditional random field (CRF) | 条件随机场 | scores a whole sequence of tags, neighbours included | [09](09_entities_and_relations.ipynb) |
# | transition matrix | 转移矩阵 | how well one tag follows another, in a CRF | [09](09_entities_and_relations.ipynb) |
# | forward algorithm, marginal | 前向算法、边缘概率 | adds up all sequences of tags without listing them; how probable a tag is, over all of them | [09](09_entities_and_relations.ipynb) |
# | Viterbi algorithm | 维特比算法 | finds the best sequence of tags without trying all | [09](09_entities_and_relations.ipynb) |
# | data-parallel training | 数据并行 | every process holds the whole model and works on its share of each batch | [10](10_beyond_one_machine.ipynb) |
# | all-reduce | 全规约 | all processes end up with the sum of what each of them had | [10](10_beyond_one_machine.ipynb) |
# | embarrassingly parallel | 易并行 | jobs that need nothing of each other, such as the seeds of a study | [10](10_beyond_one_machine.ipynb) |
# | SavedModel | SavedModel 格式 | a trained model as a folder of files that serves without Python | [10](10_beyond_one_machine.ipynb) |
# | AUC | AUC（ROC 曲线下面积） | chance that a positive row outranks a negative one | everywhere |
# | 95 % interval | 95 % 置信区间 | a range that would hold the true mean in 95 of 100 such experiments; here over seeds | everywhere |

# %% [markdown]
# ## What you have solved
#
# Every exercise you solve is noted in a small file in your own data directory, outside of the course. The next cell shows how far you
# are; come back to it whenever you like. The file is yours: `forget_progress()` deletes it.

# %%
from mtl_helpers.exercises import progress

progress()

# %% [markdown]
# ## Next
#
# [01 · Many objectives, one model](01_many_objectives_one_model.ipynb)
