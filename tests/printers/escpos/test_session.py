"""Pages go to a printer, and what becomes of them is known for certain, or said to be unknown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dedicated_line.clock import SystemClock
from dedicated_line.contract.line import Health
from dedicated_line.contract.states import PrintResult, ProofStrength
from printers.escpos.model import Fault, Paper, process_id
from printers.escpos.profiles import Profile, load_profile
from printers.escpos.session import PrinterSession, WrongPageError, printer_state
from printers.escpos.transport import PrinterUnreachableError
from printers.pages.service import DrawnCopy
from printers.seal.service import read_seal_texts
from printers.simulated.printer import SimulatedFault, SimulatedPrinter

pytestmark = pytest.mark.sockets
JOB = b"\x10\x04\x01\x02"


@pytest.fixture
def session(printer: SimulatedPrinter) -> Iterator[PrinterSession]:
    with PrinterSession(*printer.address, SystemClock(), _quick()) as open_session:
        yield open_session


def _quick(name: str = "tm-80mm-203dpi") -> Profile:
    quick = {"status_seconds": 0.3, "send_seconds": 1.0, "slowest_rows": 1e6}
    return load_profile(name).model_copy(update=quick)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    return tmp_path / "papers"


def _pictures(folder: Path) -> list[bytes]:
    return [Image.open(path).tobytes() for path in sorted(folder.glob("??????.png"))]


@pytest.mark.parametrize("name", ["single", "seven", "longest"])
def test_what_comes_out_is_dot_for_dot_what_was_checked(
    name: str, session: PrinterSession, papers: Path, drawn: dict[str, DrawnCopy]
) -> None:
    proof = session.print_pages(drawn[name].pages, JOB)
    assert (proof.result, proof.proof) == (PrintResult.PRINTED, ProofStrength.PROCESS_ID)
    assert process_id(JOB).hex() in proof.evidence
    assert _pictures(papers) == [page.tobytes() for page in drawn[name].pages]
    assert len(list(papers.glob("*.escpos"))) == len(drawn[name].pages)


def test_a_printer_without_process_id_gives_the_weaker_proof(
    printer: SimulatedPrinter, drawn: dict[str, DrawnCopy], papers: Path
) -> None:
    weak = _quick("generic-80mm-203dpi")
    with PrinterSession(*printer.address, SystemClock(), weak) as session:
        proof = session.print_pages(drawn["single"].pages, JOB)
    assert (proof.result, proof.proof) == (PrintResult.PRINTED, ProofStrength.FINAL_STATUS)
    assert _pictures(papers) == [drawn["single"].pages[0].tobytes()]


FAULTS = [
    (SimulatedFault.PAPER_END, Fault.PAPER_END),
    (SimulatedFault.COVER_OPEN, Fault.COVER_OPEN),
    (SimulatedFault.CUTTER_JAM, Fault.CUTTER),
    (SimulatedFault.OFFLINE, Fault.OFFLINE),
]


@pytest.mark.parametrize(("simulated", "fault"), FAULTS)
def test_a_printer_that_is_not_well_before_gets_no_page(
    simulated: SimulatedFault,
    fault: Fault,
    printer: SimulatedPrinter,
    session: PrinterSession,
    papers: Path,
    drawn: dict[str, DrawnCopy],
) -> None:
    printer.fail(simulated)
    state = session.state()
    assert (state.ready, state.health) == (False, Health.DOWN)
    assert fault in state.faults
    proof = session.print_pages(drawn["single"].pages, JOB)
    assert (proof.result, proof.proof) == (PrintResult.SPOILED, ProofStrength.NONE)
    printer.fail(SimulatedFault.WELL)
    assert session.state().ready
    assert list(papers.iterdir()) == []


@pytest.mark.parametrize("rows", [0, 1, 700, 1_100])
@pytest.mark.parametrize(
    "simulated",
    [each for each, _ in FAULTS] + [SimulatedFault.POWER_OFF],
)
def test_a_fault_in_mid_page_spoils_it_for_certain_and_leaves_no_seal(
    simulated: SimulatedFault,
    rows: int,
    printer: SimulatedPrinter,
    session: PrinterSession,
    papers: Path,
    drawn: dict[str, DrawnCopy],
) -> None:
    printer.fail(simulated, rows)
    proof = session.print_pages(drawn["single"].pages, JOB)
    assert (proof.result, proof.proof) == (PrintResult.SPOILED, ProofStrength.NONE)
    printer.fail(SimulatedFault.WELL)
    assert _pictures(papers) == []
    for partial in papers.glob("*-partial.png"):
        assert read_seal_texts(Image.open(partial)) == []


def test_a_fault_inside_the_seal_is_unknown(
    printer: SimulatedPrinter, session: PrinterSession, drawn: dict[str, DrawnCopy]
) -> None:
    printer.fail(SimulatedFault.PAPER_END, drawn["single"].pages[0].height - 100)
    proof = session.print_pages(drawn["single"].pages, JOB)
    assert (proof.result, proof.proof) == (PrintResult.UNKNOWN, ProofStrength.NONE)
    assert "paper end" in proof.evidence


def test_a_page_never_goes_on_after_a_fault_and_the_next_one_is_whole(
    printer: SimulatedPrinter,
    session: PrinterSession,
    papers: Path,
    drawn: dict[str, DrawnCopy],
) -> None:
    printer.fail(SimulatedFault.COVER_OPEN, 500)
    assert session.print_pages(drawn["four"].pages, JOB).result is PrintResult.SPOILED
    printer.fail(SimulatedFault.WELL)
    assert session.print_pages(drawn["single"].pages, JOB).result is PrintResult.PRINTED
    assert _pictures(papers) == [drawn["single"].pages[0].tobytes()]


def test_a_second_page_that_fails_spoils_the_set(
    printer: SimulatedPrinter, session: PrinterSession, drawn: dict[str, DrawnCopy]
) -> None:
    printer.fail(SimulatedFault.PAPER_END, drawn["seven"].pages[0].height + 300)
    proof = session.print_pages(drawn["seven"].pages, JOB)
    assert proof.result is PrintResult.SPOILED


def test_a_silent_printer_is_told_from_a_well_one_in_time(
    printer: SimulatedPrinter, session: PrinterSession, drawn: dict[str, DrawnCopy]
) -> None:
    printer.fail(SimulatedFault.SILENT)
    state = session.state()
    assert state.faults == {Fault.SILENT}
    assert state.paper is Paper.UNKNOWN
    assert session.print_pages(drawn["single"].pages, JOB).result is PrintResult.SPOILED


def test_a_wrong_process_id_is_no_proof(
    printer: SimulatedPrinter, session: PrinterSession, drawn: dict[str, DrawnCopy], papers: Path
) -> None:
    printer.fail(SimulatedFault.WRONG_PROCESS_ID)
    proof = session.print_pages(drawn["single"].pages, JOB)
    assert (proof.result, proof.proof) == (PrintResult.SPOILED, ProofStrength.NONE)
    assert "wrong process id" in proof.evidence
    assert _pictures(papers) == []


def test_paper_near_its_end_is_a_warning_and_prints(
    printer: SimulatedPrinter, session: PrinterSession, drawn: dict[str, DrawnCopy]
) -> None:
    printer.fail(SimulatedFault.NEAR_END)
    assert session.state().paper is Paper.NEAR_END
    assert session.print_pages(drawn["single"].pages, JOB).result is PrintResult.PRINTED


def test_a_page_of_another_width_is_refused_before_anything_is_sent(
    session: PrinterSession, papers: Path
) -> None:
    with pytest.raises(WrongPageError, match="576"):
        session.print_pages([Image.new("1", (512, 100), 1)], JOB)
    with pytest.raises(WrongPageError):
        session.print_pages([Image.new("L", (576, 100), 1)], JOB)
    assert list(papers.iterdir()) == []


def test_a_printer_that_is_off_is_unreachable(printer: SimulatedPrinter) -> None:
    host, port = printer.address
    printer.close()
    state = printer_state(host, port, SystemClock())
    assert (state.ready, state.detail) == (False, "unreachable")
    with pytest.raises(PrinterUnreachableError, match="check that it is on"):
        PrinterSession(host, port, SystemClock()).__enter__()
